package dev.squint.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.error.SquintException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.Set;

/** Asks a hub: follows its redirects, and sends the token to its own host alone. */
final class HubClient {

  private static final int MOST_REDIRECTS = 10;
  private static final int MOST_ANSWER_BYTES = 64 << 20;
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);

  private final HubOptions options;
  private final HttpClient http;

  HubClient(HubOptions options) {
    this.options = options;
    this.http =
        HttpClient.newBuilder()
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(options.patience())
            .build();
  }

  /** A failure that may pass. */
  static final class Passing extends IOException {

    private static final long serialVersionUID = 1L;

    private final transient Optional<Duration> pause;

    Passing(String message, Optional<Duration> pause) {
      super(message);
      this.pause = pause;
    }

    /** How long the server wants one to wait. */
    Optional<Duration> pause() {
      return pause;
    }
  }

  /**
   * Asks for a file from a byte on.
   *
   * @param path below the endpoint
   * @param from its first byte
   * @return status 200 with all of it, 206 with the rest or 416 where there is none
   * @throws IOException if it fails in a way that may pass
   * @throws HubException if it fails for good
   */
  HttpResponse<InputStream> get(String path, long from) throws IOException, InterruptedException {
    URI uri = options.endpoint().resolve(path);
    for (int redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(uri).timeout(options.patience()).header("User-Agent", "squint");
      if (from > 0) {
        request.header("Range", "bytes=" + from + "-");
      }
      if (isHub(uri)) {
        options.token().ifPresent(token -> request.header("Authorization", "Bearer " + token));
      }
      HttpResponse<InputStream> response =
          http.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
      if (!REDIRECTS.contains(response.statusCode())) {
        return checked(path, response);
      }
      response.body().close();
      uri = redirected(uri, response);
    }
    throw new IOException("more than " + MOST_REDIRECTS + " redirects");
  }

  private boolean isHub(URI uri) {
    URI hub = options.endpoint();
    return hub.getScheme().equals(uri.getScheme())
        && hub.getHost().equalsIgnoreCase(uri.getHost())
        && hub.getPort() == uri.getPort();
  }

  private static URI redirected(URI from, HttpResponse<?> response) throws IOException {
    String location =
        response
            .headers()
            .firstValue("Location")
            .orElseThrow(() -> new IOException("a redirect to nowhere"));
    try {
      URI to = from.resolve(location);
      boolean safe =
          "https".equals(to.getScheme())
              || ("http".equals(to.getScheme()) && "http".equals(from.getScheme()));
      if (safe) {
        return to;
      }
    } catch (IllegalArgumentException e) {
      throw new IOException("a redirect to what is no address", e);
    }
    throw new IOException("a redirect to an address that is not safe");
  }

  private HttpResponse<InputStream> checked(String path, HttpResponse<InputStream> response)
      throws IOException {
    int status = response.statusCode();
    if (status == 200 || status == 206 || status == 416) {
      return response;
    }
    response.body().close();
    switch (status) {
      case 401, 403, 404, 410 ->
          throw new HubException(Kind.BAD_REQUEST, refusal(path, status, response));
      case 408, 425, 429, 500, 502, 503, 504 ->
          throw new Passing("status " + status, pause(response));
      default ->
          throw new HubException(
              Kind.INTERNAL,
              "the hub answers %s with status %d; check HF_ENDPOINT (%s)"
                  .formatted(path, status, options.endpoint()));
    }
  }

  private String refusal(String path, int status, HttpResponse<?> response) {
    String error = response.headers().firstValue("X-Error-Code").orElse("");
    if (error.equals("GatedRepo") || (status == 403 && options.token().isPresent())) {
      return "the hub does not let this token have %s; ask for access on the model's page"
          .formatted(path);
    }
    if (options.token().isEmpty()) {
      return "the hub has no %s, or none without a token; check the name, or set HF_TOKEN"
          .formatted(path);
    }
    return "the hub has no %s for this token; check the name, the revision and HF_TOKEN"
        .formatted(path);
  }

  private static Optional<Duration> pause(HttpResponse<?> response) {
    return response
        .headers()
        .firstValue("Retry-After")
        .flatMap(HubClient::seconds)
        .map(pause -> pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause);
  }

  private static Optional<Duration> seconds(String text) {
    if (text.matches("\\d{1,9}")) {
      return Optional.of(Duration.ofSeconds(Long.parseLong(text)));
    }
    try {
      Duration until =
          Duration.between(
              Instant.now(),
              ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant());
      return Optional.of(until).filter(pause -> !pause.isNegative());
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }

  /** Asks for JSON. */
  JsonNode json(String path) throws IOException, InterruptedException {
    HttpResponse<InputStream> response = get(path, 0);
    try (InputStream body = response.body()) {
      byte[] bytes = body.readNBytes(MOST_ANSWER_BYTES + 1);
      if (bytes.length > MOST_ANSWER_BYTES) {
        throw new IOException("an answer of more than %d bytes".formatted(MOST_ANSWER_BYTES));
      }
      return new ObjectMapper().readTree(bytes);
    }
  }
}
