package dev.squint.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.squint.engine.internal.host.HostProcess;
import dev.squint.onnx.internal.io.NativeLibrary;
import java.io.IOException;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tokenizer's {@linkplain NativeLibrary native library}. A library that the user has chosen is
 * left alone.
 */
public final class TokenizerLibrary {

  private static final Logger LOG = LoggerFactory.getLogger(TokenizerLibrary.class);
  private static final String CHOICE = "RUST_LIBRARY_PATH";
  private static final String LIBRARY = "libtokenizers.so";

  private TokenizerLibrary() {}

  /** Unpacks it before the first tokenizer is made; later calls do nothing. */
  public static void prepare(Path cacheFolder) {
    if (System.getProperty(CHOICE) != null || System.getenv(CHOICE) != null) {
      return;
    }
    String processor = NativeLibrary.processor("x86_64", "aarch64");
    String root = "/native/lib/linux-%s/cpu/".formatted(processor);
    Path folder = cacheFolder.toAbsolutePath().resolve("native").resolve("tokenizers-" + processor);
    try {
      if (NativeLibrary.unpack(HuggingFaceTokenizer.class, root, folder, LIBRARY)) {
        HostProcess.setProperty(CHOICE, folder.resolve(LIBRARY).toString());
      }
    } catch (IOException e) {
      LOG.debug("DJL unpacks the tokenizer's library itself: {}", e.toString());
    }
  }
}
