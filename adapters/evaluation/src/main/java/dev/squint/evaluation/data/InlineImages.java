package dev.squint.evaluation.data;

import dev.squint.onnx.internal.io.Sha256;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** Images within a data file; records of the same image share it. */
final class InlineImages {

  private final Map<String, NamedMedia> known = new HashMap<>();

  /**
   * Takes one.
   *
   * @param record what to call the record that has it, such as {@code row 3}
   * @param base64 the image
   */
  NamedMedia take(String record, String base64) {
    return known.computeIfAbsent(
        sha256(base64),
        hash ->
            new NamedMedia(
                hash,
                new MediaSource.InlineImage(
                    "the image of %s (%.8s)".formatted(record, hash), base64)));
  }

  private static String sha256(String text) {
    return Sha256.of(text.getBytes(StandardCharsets.UTF_8));
  }
}
