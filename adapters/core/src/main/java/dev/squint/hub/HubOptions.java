package dev.squint.hub;

import dev.squint.error.SquintException.Kind;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Where models come from and where they go. Immutable; made by a builder that starts from the
 * environment variables of Hugging Face's own library:
 *
 * <ul>
 *   <li>{@code HF_ENDPOINT}, else {@code https://huggingface.co};
 *   <li>{@code HF_TOKEN}, else {@code HUGGING_FACE_HUB_TOKEN}, else the file that {@code
 *       HF_TOKEN_PATH} names, else {@code token} in {@code HF_HOME};
 *   <li>{@code HF_HUB_CACHE}, else {@code hub} in {@code HF_HOME}, which is {@code
 *       $XDG_CACHE_HOME/huggingface} or {@code ~/.cache/huggingface};
 *   <li>{@code HF_HUB_OFFLINE}.
 * </ul>
 */
public final class HubOptions {

  private static final Set<String> YES = Set.of("1", "true", "yes", "on");

  private final URI endpoint;
  private final Optional<String> token;
  private final Path cache;
  private final boolean offline;
  private final int parallel;
  private final int attempts;
  private final Duration patience;
  private final Duration pause;

  private HubOptions(Builder builder) {
    endpoint = builder.endpoint;
    token = builder.token;
    cache = builder.cache;
    offline = builder.offline;
    parallel = builder.parallel;
    attempts = builder.attempts;
    patience = builder.patience;
    pause = builder.pause;
  }

  /** As the environment says. */
  public static HubOptions defaults() {
    return builder().build();
  }

  /** Starts from what the environment says. */
  public static Builder builder() {
    return builder(System.getenv(), Path.of(System.getProperty("user.home")));
  }

  static Builder builder(Map<String, String> environment, Path userHome) {
    return new Builder(environment, userHome);
  }

  /** The hub. */
  public URI endpoint() {
    return endpoint;
  }

  /** What is sent to the hub, and to no other host, to be let in. */
  public Optional<String> token() {
    return token;
  }

  /** Where models go. */
  public Path cache() {
    return cache;
  }

  /** Whether only what lies in the cache is used. */
  public boolean offline() {
    return offline;
  }

  int parallel() {
    return parallel;
  }

  int attempts() {
    return attempts;
  }

  Duration patience() {
    return patience;
  }

  Duration pause() {
    return pause;
  }

  /** Collects the options. */
  public static final class Builder {

    private URI endpoint;
    private Optional<String> token;
    private Path cache;
    private boolean offline;
    private int parallel = 4;
    private int attempts = 6;
    private Duration patience = Duration.ofSeconds(30);
    private Duration pause = Duration.ofMillis(500);

    private Builder(Map<String, String> environment, Path userHome) {
      endpoint(set(environment, "HF_ENDPOINT").orElse("https://huggingface.co"));
      Path home =
          set(environment, "HF_HOME")
              .map(Path::of)
              .orElseGet(
                  () ->
                      set(environment, "XDG_CACHE_HOME")
                          .map(Path::of)
                          .orElse(userHome.resolve(".cache"))
                          .resolve("huggingface"));
      cache = set(environment, "HF_HUB_CACHE").map(Path::of).orElse(home.resolve("hub"));
      token =
          set(environment, "HF_TOKEN")
              .or(() -> set(environment, "HUGGING_FACE_HUB_TOKEN"))
              .or(
                  () ->
                      written(
                          set(environment, "HF_TOKEN_PATH")
                              .map(Path::of)
                              .orElse(home.resolve("token"))));
      offline =
          set(environment, "HF_HUB_OFFLINE")
              .filter(value -> YES.contains(value.toLowerCase(Locale.ROOT)))
              .isPresent();
    }

    private static Optional<String> set(Map<String, String> environment, String name) {
      return Optional.ofNullable(environment.get(name))
          .map(String::strip)
          .filter(v -> !v.isEmpty());
    }

    private static Optional<String> written(Path file) {
      if (!Files.isRegularFile(file)) {
        return Optional.empty();
      }
      try {
        return Optional.of(Files.readString(file).strip()).filter(text -> !text.isEmpty());
      } catch (IOException e) {
        throw new HubException(
            Kind.BAD_REQUEST,
            "the hub's token cannot be read from %s; check its permissions or set HF_TOKEN"
                .formatted(file),
            e);
      }
    }

    /**
     * Sets the hub.
     *
     * @throws HubException if it is no address of a web server
     */
    public Builder endpoint(String address) {
      try {
        URI uri = URI.create(address.endsWith("/") ? address : address + "/");
        if (Set.of("http", "https").contains(String.valueOf(uri.getScheme()))
            && uri.getHost() != null) {
          endpoint = uri;
          return this;
        }
      } catch (IllegalArgumentException e) {
        throw noAddress(address, e);
      }
      throw noAddress(address, null);
    }

    private static HubException noAddress(String address, Throwable cause) {
      return new HubException(
          Kind.BAD_REQUEST,
          "the hub's address '%s' is none; set HF_ENDPOINT to one such as https://huggingface.co"
              .formatted(address),
          cause);
    }

    /** Sets what lets one in; empty for nothing. */
    public Builder token(Optional<String> secret) {
      token = Objects.requireNonNull(secret, "token");
      return this;
    }

    /** Sets where models go. */
    public Builder cache(Path folder) {
      cache = Objects.requireNonNull(folder, "cache");
      return this;
    }

    /** Sets whether only what lies in the cache is used. */
    public Builder offline(boolean only) {
      offline = only;
      return this;
    }

    /** Sets how many files are downloaded at a time; 4 unless set. */
    public Builder parallel(int files) {
      parallel = Math.max(1, files);
      return this;
    }

    /** Sets how often a file is tried; 6 times unless set. */
    public Builder attempts(int times) {
      attempts = Math.max(1, times);
      return this;
    }

    /** Sets how long a server may send nothing; 30 seconds unless set. */
    public Builder patience(Duration silence) {
      patience = Objects.requireNonNull(silence, "patience");
      return this;
    }

    /**
     * Sets the pause before the second attempt, which doubles from then on; half a second unless
     * set.
     */
    public Builder pause(Duration first) {
      pause = Objects.requireNonNull(first, "pause");
      return this;
    }

    /** Makes the options. */
    public HubOptions build() {
      return new HubOptions(this);
    }
  }
}
