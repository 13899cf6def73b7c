package dev.squint.adapters;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.squint.models.UnpackedResource;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tokenizer's native library. DJL unpacks it into a folder of its own and from then on loads
 * what lies there, even if it was cut short; so on Linux DJL is given one from the cache folder,
 * verified once per process. A library that the user has chosen is left alone.
 */
final class TokenizerLibrary {

  private static final Logger LOG = LoggerFactory.getLogger(TokenizerLibrary.class);
  private static final String CHOICE = "RUST_LIBRARY_PATH";
  private static final String LIBRARY = "libtokenizers.so";

  private TokenizerLibrary() {}

  /** Unpacks it before the first tokenizer is made; later calls do nothing. */
  static void prepare(Path cacheFolder) {
    if (System.getProperty(CHOICE) != null || System.getenv(CHOICE) != null) {
      return;
    }
    String processor = System.getProperty("os.arch").equals("aarch64") ? "aarch64" : "x86_64";
    URL resource =
        HuggingFaceTokenizer.class.getResource(
            "/native/lib/linux-%s/cpu/%s".formatted(processor, LIBRARY));
    if (!System.getProperty("os.name").equals("Linux") || resource == null) {
      return;
    }
    Path folder = cacheFolder.toAbsolutePath().resolve("native").resolve("tokenizers-" + processor);
    try {
      Path library = new UnpackedResource(resource, folder, LIBRARY).verified();
      System.setProperty(CHOICE, library.toString());
    } catch (IOException e) {
      LOG.debug("DJL unpacks the tokenizer's library itself: {}", e.toString());
    }
  }
}
