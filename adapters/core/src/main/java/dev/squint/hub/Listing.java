package dev.squint.hub;

import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.internal.io.Printable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What a repository holds at one commit. Names come from elsewhere and become files here, so all
 * that is no plain relative path is refused.
 *
 * @param commit 40 hexadecimal digits
 * @param files by path
 */
record Listing(String commit, Map<String, HubFile> files) {

  static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

  private static final Pattern HASH = Pattern.compile("[0-9a-f]{40}|[0-9a-f]{64}");
  private static final Pattern STEP = Pattern.compile("[^/\\\\:*?\"<>|\\p{Cntrl}]{1,200}");
  private static final int LONGEST = 1_000;

  /**
   * Reads the hub's answer about a revision with its blobs.
   *
   * @throws HubException if it is none, or names a path that is no plain one
   */
  static Listing of(String repository, JsonNode answer) {
    String commit = answer.path("sha").asText();
    if (!COMMIT.matcher(commit).matches() || !answer.path("siblings").isArray()) {
      throw bad(repository, "it names no commit and files");
    }
    Map<String, HubFile> files = new HashMap<>();
    for (JsonNode one : answer.path("siblings")) {
      String path = one.path("rfilename").asText();
      if (!isPlain(path)) {
        throw bad(repository, "it names the file '%s'".formatted(Printable.of(path)));
      }
      JsonNode large = one.path("lfs");
      String hash = large.path("sha256").asText(one.path("blobId").asText());
      long size = large.path("size").asLong(one.path("size").asLong(-1));
      if (HASH.matcher(hash).matches() && size >= 0) {
        files.put(path, new HubFile(path, size, hash));
      }
    }
    return new Listing(commit, files);
  }

  private static boolean isPlain(String path) {
    if (path.length() > LONGEST) {
      return false;
    }
    List<String> steps = new ArrayList<>(List.of(path.split("/", -1)));
    return steps.stream()
        .allMatch(
            step ->
                STEP.matcher(step).matches()
                    && !step.equals(".")
                    && !step.equals("..")
                    && !step.endsWith(" ")
                    && !step.endsWith("."));
  }

  private static HubException bad(String repository, String why) {
    return new HubException(
        Kind.INTERNAL,
        "the hub's answer about %s cannot be used: %s; check HF_ENDPOINT"
            .formatted(repository, why));
  }
}
