package dev.squint.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.squint.engine.internal.host.HostProcess;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.ModelJson;
import dev.squint.onnx.internal.io.Printable;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Turns text into tokens and back by the tokenizer of a model folder, whose file is checked before
 * the native library sees it.
 *
 * <p>The library needs up to 450 bytes and 5 microseconds for a character of text, all of it at
 * once; so nobody may pass more than {@link #mostCharacters}. Thread-safe.
 */
public final class TextTokenizer implements AutoCloseable {

  private static final String FORCED_CLEAN_UP =
      "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output";

  private final Path file;
  private final HuggingFaceTokenizer tokenizer;
  private final List<TokenizerJson.Added> added;
  private final boolean cleansUp;
  private final int longestToken;
  private final int mostCharacters;
  private final Set<Long> skipped;
  private final Set<Integer> bytes;
  private final boolean decodesInPieces;

  private TextTokenizer(
      Path file, HuggingFaceTokenizer tokenizer, TokenizerJson json, boolean cleansUp) {
    this.file = file;
    this.tokenizer = tokenizer;
    this.added = json.added();
    this.cleansUp = cleansUp;
    this.longestToken = json.longestToken();
    this.mostCharacters = json.mostCharacters();
    this.skipped =
        added.stream()
            .filter(TokenizerJson.Added::isSpecial)
            .map(token -> (long) token.id())
            .collect(Collectors.toUnmodifiableSet());
    this.bytes = json.bytes();
    this.decodesInPieces = json.decodesInPieces();
  }

  /**
   * Opens {@code tokenizer.json}.
   *
   * @throws ModelException if it is missing or cannot be used
   */
  public static TextTokenizer open(Path folder) {
    Path file = folder.resolve("tokenizer.json");
    TokenizerJson json = TokenizerJson.read(file);
    boolean cleansUp = cleansUp(folder, json.isBpe());
    keepDjlOffline();
    try {
      HuggingFaceTokenizer tokenizer =
          HuggingFaceTokenizer.newInstance(
              new ByteArrayInputStream(json.json()),
              Map.of("truncation", "false", "padding", "false"));
      return new TextTokenizer(file, tokenizer, json, cleansUp);
    } catch (LinkageError e) {
      throw new ModelException(
          "the tokenizer's native library cannot be loaded; allow programs in the temporary folder and in ~/.djl.ai",
          e);
    } catch (IOException | RuntimeException e) {
      throw new ModelException(
          "%s is no tokenizer: %s; download or export it again"
              .formatted(file, Printable.of(String.valueOf(e.getMessage()))),
          e);
    }
  }

  /**
   * Whether transformers closes the spaces before punctuation: of pairs only where it is forced.
   */
  private static boolean cleansUp(Path folder, boolean isBpe) {
    ModelJson config = ModelJson.readIfThere(folder.resolve("tokenizer_config.json"));
    boolean wanted = config.flag("clean_up_tokenization_spaces").orElse(false);
    return wanted && (!isBpe || config.flag(FORCED_CLEAN_UP).orElse(false));
  }

  /**
   * Without these DJL reports to its makers from some clouds and, where it finds a CUDA driver,
   * downloads a library instead of using the one in its jar. What the host has set stays.
   */
  private static void keepDjlOffline() {
    HostProcess.setProperty("OPT_OUT_TRACKING", "true");
    HostProcess.setProperty("RUST_FLAVOR", "cpu");
  }

  /** Texts of special tokens, such as {@code </s>}. */
  public List<String> reserved() {
    return added.stream()
        .filter(TokenizerJson.Added::isSpecial)
        .map(TokenizerJson.Added::text)
        .toList();
  }

  /** The text of an added token. */
  public Optional<String> addedText(long id) {
    return added.stream()
        .filter(token -> token.id() == id)
        .map(TokenizerJson.Added::text)
        .findFirst();
  }

  /** Characters of the longest token there is. */
  public int longestToken() {
    return longestToken;
  }

  /** Characters of the longest text that is taken. */
  public int mostCharacters() {
    return mostCharacters;
  }

  /**
   * The tokens of a text.
   *
   * <p>Asks the library for these alone: DJL's own call also makes objects for each token, which
   * end the process where the heap has no room for them.
   *
   * @param text whole Unicode of up to {@link #mostCharacters} characters
   * @param framed whether those that the tokenizer puts around a text are among them
   */
  public long[] tokens(String text, boolean framed) {
    if (text.length() > mostCharacters) {
      throw new IllegalArgumentException("a text of %d characters".formatted(text.length()));
    }
    TokenizersLibrary library = TokenizersLibrary.LIB;
    long encoding;
    try {
      encoding = library.encode(tokenizer.getHandle(), text, framed);
    } catch (RuntimeException e) {
      throw new ModelException(
          "%s has no token for a part of the text, and none for what it does not know; use the tokenizer that belongs to the model"
              .formatted(file),
          e);
    }
    try {
      return library.getTokenIds(encoding);
    } finally {
      library.deleteEncoding(encoding);
    }
  }

  /**
   * The text of tokens as {@code decode(skip_special_tokens=True)} of transformers has it, without
   * the spaces around it.
   */
  public String text(long[] tokens) {
    String text = decoded(tokens);
    return (cleansUp ? cleanedUp(text) : text).strip();
  }

  /** The same for tokens that come one by one, with the spaces around it. */
  public IncrementalText incremental() {
    return new IncrementalText(this);
  }

  String decoded(long[] tokens) {
    return tokenizer.decode(tokens, true);
  }

  /** Whether a token is left out of texts. */
  boolean isSkipped(long token) {
    return skipped.contains(token);
  }

  /** Whether a token stands for a byte, so that what it is depends on those around it. */
  boolean isByte(long token) {
    return bytes.contains((int) token);
  }

  /** Whether the text of some tokens is how that of more begins. */
  boolean decodesInPieces() {
    return decodesInPieces;
  }

  boolean cleansUp() {
    return cleansUp;
  }

  static String cleanedUp(String text) {
    return text.replace(" .", ".")
        .replace(" ?", "?")
        .replace(" !", "!")
        .replace(" ,", ",")
        .replace(" ' ", "'")
        .replace(" n't", "n't")
        .replace(" 'm", "'m")
        .replace(" 's", "'s")
        .replace(" 've", "'ve")
        .replace(" 're", "'re");
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
