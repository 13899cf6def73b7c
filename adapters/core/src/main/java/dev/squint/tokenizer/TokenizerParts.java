package dev.squint.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.onnx.internal.io.Printable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Checks the parts of a {@code tokenizer.json} that surround its vocabulary: normalizer, pre
 * tokenizer, post processor and decoder. Each part of a kind that the native library knows is
 * rebuilt from the fields of that kind, each of which has to be what the library goes by without a
 * look; what it would end the process over is refused. Faults come as {@link
 * IllegalArgumentException} with half a sentence.
 *
 * <p>On the way it adds up what bounds the work for a text: see {@link #mostCharacters}.
 */
final class TokenizerParts {

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final int DEEPEST = 6;
  private static final int MOST_PARTS = 256;
  private static final int LONGEST_TEXT = 256;
  private static final int MOST_GROWTH = 16;
  private static final int LARGEST_ID = Integer.MAX_VALUE;

  /** The steps that the library's expressions may take at one place before it ends the process. */
  private static final double MOST_TRIES = 8e6;

  /** The steps that a text may take in all: about a second. */
  private static final double MOST_STEPS = 1e8;

  private static final Set<String> BEHAVIOURS =
      Set.of("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous");
  private static final Set<String> SCHEMES = Set.of("first", "never", "always");
  private static final Set<String> KEEPING =
      Set.of("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "ByteLevel", "Prepend");

  /** How many characters become of one at most, by kind of normalizer. */
  private static final Map<String, Integer> GROWTH =
      Map.of(
          "NFC",
          3,
          "NFD",
          4,
          "NFKC",
          18,
          "NFKD",
          18,
          "Precompiled",
          18,
          "BertNormalizer",
          4,
          "ByteLevel",
          3,
          "Lowercase",
          3);

  private final Set<SplitPattern> patterns = new HashSet<>();
  private final Set<String> kinds = new HashSet<>();
  private int parts;
  private int growth = 1;
  private int replaced = 1;
  private boolean normalizes;
  private boolean deletes;
  private boolean deletesByPattern;
  private boolean writesSpaces;

  /** Characters of a text up to which the patterns come to an end soon. */
  int mostCharacters(int most) {
    double characters = most;
    for (SplitPattern pattern : patterns) {
      characters = Math.min(characters, MOST_TRIES / pattern.tries() / growth);
      boolean slow =
          pattern.again().stream().anyMatch(source -> writesSpaces || !source.equals("\\s"));
      if (slow) {
        characters = Math.min(characters, Math.sqrt(MOST_STEPS / pattern.tries()) / growth);
      }
    }
    return (int) characters;
  }

  /** Whether a text of an added token could be normalized to nothing. */
  boolean mayDelete(String text) {
    boolean printed = text.chars().anyMatch(c -> c > 0x20 && c < 0x7f);
    return deletesByPattern || deletes && !printed;
  }

  /** Whether normalizing could put a space into the text of an added token. */
  boolean mayWriteSpaces(String text) {
    return normalizes && (writesSpaces || !text.chars().allMatch(c -> c > 0x20 && c < 0x7f));
  }

  private static IllegalArgumentException fault(String what, Object... of) {
    return new IllegalArgumentException(what.formatted(of));
  }

  private String typeOf(JsonNode part, int depth) {
    parts++;
    if (depth > DEEPEST || parts > MOST_PARTS) {
      throw fault("holds more than %d parts or %d levels", MOST_PARTS, DEEPEST);
    }
    JsonNode type = part.path("type");
    if (!type.isTextual()) {
      throw fault("has a part without a 'type'");
    }
    return type.textValue();
  }

  private static IllegalArgumentException unknown(String type) {
    return fault("has a part '%s' that is not known", Printable.of(type));
  }

  private static ObjectNode bare(String type) {
    return JSON.objectNode().put("type", type);
  }

  private static boolean flag(JsonNode part, String field) {
    JsonNode value = part.path(field);
    if (!value.isBoolean()) {
      throw wrong(part, field, "true or false");
    }
    return value.booleanValue();
  }

  private static boolean flag(JsonNode part, String field, boolean otherwise) {
    return part.hasNonNull(field) ? flag(part, field) : otherwise;
  }

  private static IllegalArgumentException wrong(JsonNode part, String field, String what) {
    return fault(
        "has a part '%s' whose '%s' is not %s",
        Printable.of(part.path("type").asText()), field, what);
  }

  static String text(JsonNode part, String field) {
    JsonNode value = part.path(field);
    if (!value.isTextual() || value.textValue().length() > LONGEST_TEXT) {
      throw wrong(part, field, "a text of up to %d characters".formatted(LONGEST_TEXT));
    }
    if (!isWhole(value.textValue())) {
      throw wrong(part, field, "Unicode");
    }
    return value.textValue();
  }

  /** Whether no half of a surrogate pair stands alone. */
  static boolean isWhole(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        if (!Character.isSurrogatePair(
            text.charAt(i), i + 1 < text.length() ? text.charAt(i + 1) : ' ')) {
          return false;
        }
        i++;
      }
    }
    return true;
  }

  private static String named(JsonNode part, String field, Set<String> names) {
    String value = text(part, field);
    if (!names.contains(value)) {
      throw wrong(part, field, "one of " + String.join(", ", names.stream().sorted().toList()));
    }
    return value;
  }

  private static String character(JsonNode part, String field) {
    String value = text(part, field);
    if (value.codePointCount(0, value.length()) != 1) {
      throw wrong(part, field, "one character");
    }
    return value;
  }

  private static int count(JsonNode part, String field, int least, int most) {
    JsonNode value = part.path(field);
    if (!value.isIntegralNumber()
        || !value.canConvertToInt()
        || value.intValue() < least
        || value.intValue() > most) {
      throw wrong(part, field, "a whole number from %d to %d".formatted(least, most));
    }
    return value.intValue();
  }

  private static Iterable<JsonNode> array(JsonNode part, String field) {
    if (!part.path(field).isArray()) {
      throw wrong(part, field, "an array");
    }
    return part.path(field);
  }

  private SplitPattern pattern(JsonNode part, ObjectNode rebuilt) {
    JsonNode given = part.path("pattern");
    boolean regex = given.has("Regex");
    String field = regex ? "Regex" : "String";
    JsonNode source = given.path(field);
    if (given.size() != 1 || !source.isTextual() || !isWhole(source.textValue())) {
      throw wrong(part, "pattern", "one 'String' or 'Regex'");
    }
    String text = source.textValue();
    if (text.isEmpty() || !regex && text.length() > LONGEST_TEXT) {
      throw wrong(part, "pattern", "a text of 1 to %d characters".formatted(LONGEST_TEXT));
    }
    rebuilt.putObject("pattern").put(field, text);
    SplitPattern pattern;
    try {
      pattern = regex ? SplitPattern.of(text) : SplitPattern.literal(text);
    } catch (IllegalArgumentException e) {
      throw fault(
          "has a part '%s' whose pattern '%s' %s",
          Printable.of(part.path("type").asText()), Printable.of(text), e.getMessage());
    }
    patterns.add(pattern);
    return pattern;
  }

  /** Replaces by a text that is not so much longer that a few of these would fill the memory. */
  private SplitPattern replace(JsonNode part, ObjectNode rebuilt) {
    SplitPattern pattern = pattern(part, rebuilt);
    String content = text(part, "content");
    rebuilt.put("content", content);
    replaced *= Math.max(1, (content.length() + pattern.shortest() - 1) / pattern.shortest());
    if (replaced > MOST_GROWTH) {
      throw fault("makes a text more than %d times as long", MOST_GROWTH);
    }
    return pattern;
  }

  /** A normalizer as it may be used; null if there is none. */
  JsonNode normalizer(JsonNode given) {
    if (given.isNull() || given.isMissingNode()) {
      return JSON.nullNode();
    }
    JsonNode checked = normalizer(given, 0);
    growth *= replaced;
    replaced = 1;
    return checked;
  }

  private ObjectNode normalizer(JsonNode part, int depth) {
    String type = typeOf(part, depth);
    ObjectNode rebuilt = bare(type);
    if (type.equals("Sequence")) {
      ArrayNode children = rebuilt.putArray("normalizers");
      array(part, "normalizers").forEach(child -> children.add(normalizer(child, depth + 1)));
      return rebuilt;
    }
    normalizes = true;
    if (kinds.add(type)) {
      growth = Math.min(MOST_GROWTH * MOST_GROWTH, growth * GROWTH.getOrDefault(type, 1));
    }
    deletes |= !KEEPING.contains(type) && !type.equals("Replace");
    switch (type) {
      case "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Nmt", "StripAccents", "ByteLevel" -> {}
      case "Strip" -> {
        rebuilt.put("strip_left", flag(part, "strip_left"));
        rebuilt.put("strip_right", flag(part, "strip_right"));
      }
      case "BertNormalizer" -> {
        rebuilt.put("clean_text", flag(part, "clean_text"));
        rebuilt.put("handle_chinese_chars", flag(part, "handle_chinese_chars"));
        if (part.hasNonNull("strip_accents")) {
          rebuilt.put("strip_accents", flag(part, "strip_accents"));
        } else {
          rebuilt.putNull("strip_accents");
        }
        rebuilt.put("lowercase", flag(part, "lowercase"));
      }
      case "Precompiled" -> rebuilt.put("precompiled_charsmap", charsmap(part));
      case "Prepend" -> {
        String prepended = text(part, "prepend");
        if (prepended.isEmpty() || prepended.length() > MOST_GROWTH) {
          throw wrong(part, "prepend", "a text of 1 to %d characters".formatted(MOST_GROWTH));
        }
        writesSpaces |= hasSpace(prepended);
        rebuilt.put("prepend", prepended);
      }
      case "Replace" -> {
        replace(part, rebuilt);
        String content = rebuilt.path("content").textValue();
        writesSpaces |= hasSpace(content);
        deletesByPattern |= content.isEmpty();
      }
      default -> throw unknown(type);
    }
    return rebuilt;
  }

  private static String charsmap(JsonNode part) {
    JsonNode table = part.path("precompiled_charsmap");
    if (!table.isTextual()) {
      throw wrong(part, "precompiled_charsmap", "a text");
    }
    try {
      Charsmap.check(table.textValue());
    } catch (IllegalArgumentException e) {
      throw fault("has a part 'Precompiled' whose table %s", e.getMessage());
    }
    return table.textValue();
  }

  private static boolean hasSpace(String text) {
    return text.chars().anyMatch(c -> Character.isWhitespace(c) || Character.isSpaceChar(c));
  }

  /** A pre tokenizer as it may be used; null if there is none. */
  JsonNode preTokenizer(JsonNode given) {
    return given.isNull() || given.isMissingNode() ? JSON.nullNode() : preTokenizer(given, 0);
  }

  private ObjectNode preTokenizer(JsonNode part, int depth) {
    String type = typeOf(part, depth);
    ObjectNode rebuilt = bare(type);
    switch (type) {
      case "Sequence" -> {
        ArrayNode children = rebuilt.putArray("pretokenizers");
        array(part, "pretokenizers").forEach(child -> children.add(preTokenizer(child, depth + 1)));
      }
      case "BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts" -> {}
      case "ByteLevel" -> byteLevel(part, rebuilt);
      case "CharDelimiterSplit" -> rebuilt.put("delimiter", character(part, "delimiter"));
      case "Metaspace" -> metaspace(part, rebuilt);
      case "Split" -> {
        pattern(part, rebuilt);
        rebuilt.put("behavior", named(part, "behavior", BEHAVIOURS));
        rebuilt.put("invert", flag(part, "invert"));
      }
      case "Punctuation" ->
          rebuilt.put(
              "behavior",
              part.hasNonNull("behavior") ? named(part, "behavior", BEHAVIOURS) : "Isolated");
      case "Digits" -> rebuilt.put("individual_digits", flag(part, "individual_digits"));
      case "FixedLength" ->
          rebuilt.put("length", part.hasNonNull("length") ? count(part, "length", 1, 1 << 20) : 5);
      default -> throw unknown(type);
    }
    return rebuilt;
  }

  private static void byteLevel(JsonNode part, ObjectNode rebuilt) {
    rebuilt.put("add_prefix_space", flag(part, "add_prefix_space"));
    rebuilt.put("trim_offsets", flag(part, "trim_offsets"));
    rebuilt.put("use_regex", flag(part, "use_regex", true));
  }

  private static void metaspace(JsonNode part, ObjectNode rebuilt) {
    rebuilt.put("replacement", character(part, "replacement"));
    if (part.hasNonNull("add_prefix_space")) {
      rebuilt.put("add_prefix_space", flag(part, "add_prefix_space"));
    }
    if (part.hasNonNull("prepend_scheme")) {
      rebuilt.put("prepend_scheme", named(part, "prepend_scheme", SCHEMES));
    }
    rebuilt.put("split", flag(part, "split", true));
  }

  /** A post processor as it may be used; null if there is none. */
  JsonNode postProcessor(JsonNode given) {
    if (given.isNull() || given.isMissingNode()) {
      return JSON.nullNode();
    }
    int[] framing = {0};
    JsonNode checked = postProcessor(given, 0, framing);
    if (framing[0] > 1) {
      throw fault("puts more than one frame around a text");
    }
    return checked;
  }

  private ObjectNode postProcessor(JsonNode part, int depth, int[] framing) {
    String type = typeOf(part, depth);
    ObjectNode rebuilt = bare(type);
    switch (type) {
      case "Sequence" -> {
        ArrayNode children = rebuilt.putArray("processors");
        array(part, "processors")
            .forEach(child -> children.add(postProcessor(child, depth + 1, framing)));
      }
      case "ByteLevel" -> byteLevel(part, rebuilt);
      case "BertProcessing" -> {
        framing[0]++;
        frame(part, rebuilt);
      }
      case "RobertaProcessing" -> {
        framing[0]++;
        frame(part, rebuilt);
        rebuilt.put("trim_offsets", flag(part, "trim_offsets"));
        rebuilt.put("add_prefix_space", flag(part, "add_prefix_space"));
      }
      case "TemplateProcessing" -> {
        framing[0]++;
        template(part, rebuilt);
      }
      default -> throw unknown(type);
    }
    return rebuilt;
  }

  private static void frame(JsonNode part, ObjectNode rebuilt) {
    for (String field : new String[] {"sep", "cls"}) {
      JsonNode pair = part.path(field);
      if (!pair.isArray() || pair.size() != 2 || !pair.get(0).isTextual() || !isId(pair.get(1))) {
        throw wrong(part, field, "a token and its number");
      }
      rebuilt.putArray(field).add(pair.get(0).textValue()).add(pair.get(1).intValue());
    }
  }

  private static boolean isId(JsonNode value) {
    return value.isIntegralNumber() && value.canConvertToInt() && value.intValue() >= 0;
  }

  /** A text between special tokens that are defined; what it says of pairs is never used. */
  private static void template(JsonNode part, ObjectNode rebuilt) {
    ObjectNode tokens = rebuilt.putObject("special_tokens");
    ArrayNode single = rebuilt.putArray("single");
    int texts = 0;
    for (JsonNode piece : array(part, "single")) {
      JsonNode sequence = piece.path("Sequence");
      String id = text(piece.has("Sequence") ? sequence : piece.path("SpecialToken"), "id");
      if (piece.has("Sequence")) {
        texts += id.equals("A") ? 1 : 2;
        single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
      } else {
        if (!tokens.has(id)) {
          tokens.set(id, specialToken(id, part.path("special_tokens").path(id)));
        }
        single.addObject().putObject("SpecialToken").put("id", id).put("type_id", 0);
      }
    }
    if (texts != 1 || single.size() > MOST_PARTS) {
      throw fault("has a part 'TemplateProcessing' whose 'single' does not hold its text once");
    }
    ArrayNode pair = rebuilt.putArray("pair");
    for (String id : new String[] {"A", "B"}) {
      pair.addObject().putObject("Sequence").put("id", id).put("type_id", 0);
    }
  }

  private static ObjectNode specialToken(String id, JsonNode given) {
    ObjectNode token = JSON.objectNode().put("id", id);
    ArrayNode ids = token.putArray("ids");
    ArrayNode texts = token.putArray("tokens");
    if (!given.path("ids").isArray()
        || !given.path("tokens").isArray()
        || given.get("ids").size() != given.get("tokens").size()
        || given.get("ids").size() > MOST_PARTS) {
      throw fault(
          "has a part 'TemplateProcessing' that names '%s' and does not define it",
          Printable.of(id));
    }
    for (int i = 0; i < given.get("ids").size(); i++) {
      JsonNode number = given.get("ids").get(i);
      JsonNode text = given.get("tokens").get(i);
      if (!isId(number) || !text.isTextual() || !isWhole(text.textValue())) {
        throw fault(
            "has a part 'TemplateProcessing' whose token '%s' has no numbers from 0 to %d",
            Printable.of(id), LARGEST_ID);
      }
      ids.add(number.intValue());
      texts.add(text.textValue());
    }
    return token;
  }

  /** The kinds of decoders that a decoder is made of, in order. */
  static List<String> flattened(JsonNode decoder) {
    List<String> kinds = new ArrayList<>();
    if (decoder.has("decoders")) {
      decoder.get("decoders").forEach(child -> kinds.addAll(flattened(child)));
    } else if (decoder.has("type")) {
      kinds.add(decoder.get("type").textValue());
    }
    return kinds;
  }

  /**
   * Whether the text of some tokens is how that of more begins. What works on all tokens joined may
   * change what was there before.
   */
  static boolean decodesInPieces(List<String> decoders) {
    int joined =
        IntStream.range(0, decoders.size())
            .filter(i -> decoders.get(i).equals("Fuse") || decoders.get(i).equals("ByteLevel"))
            .findFirst()
            .orElse(decoders.size());
    return decoders.stream()
        .skip(joined + 1L)
        .allMatch(kind -> List.of("Fuse", "Strip").contains(kind));
  }

  /** A decoder as it may be used; null if there is none. */
  JsonNode decoder(JsonNode given) {
    if (given.isNull() || given.isMissingNode()) {
      return JSON.nullNode();
    }
    replaced = 1;
    return decoder(given, 0);
  }

  private ObjectNode decoder(JsonNode part, int depth) {
    String type = typeOf(part, depth);
    ObjectNode rebuilt = bare(type);
    switch (type) {
      case "Sequence" -> {
        ArrayNode children = rebuilt.putArray("decoders");
        array(part, "decoders").forEach(child -> children.add(decoder(child, depth + 1)));
      }
      case "ByteFallback", "Fuse" -> {}
      case "ByteLevel" -> byteLevel(part, rebuilt);
      case "Metaspace" -> metaspace(part, rebuilt);
      case "BPEDecoder" -> rebuilt.put("suffix", nonEmpty(part, "suffix"));
      case "WordPiece" -> {
        rebuilt.put("prefix", text(part, "prefix"));
        rebuilt.put("cleanup", flag(part, "cleanup"));
      }
      case "CTC" -> {
        rebuilt.put("pad_token", nonEmpty(part, "pad_token"));
        rebuilt.put("word_delimiter_token", nonEmpty(part, "word_delimiter_token"));
        rebuilt.put("cleanup", flag(part, "cleanup"));
      }
      case "Replace" -> {
        if (!replace(part, rebuilt).again().isEmpty()) {
          throw wrong(part, "pattern", "found in one pass");
        }
      }
      case "Strip" -> {
        rebuilt.put("content", character(part, "content"));
        rebuilt.put("start", count(part, "start", 0, LARGEST_ID));
        // The library looks before the start of a token that is shorter than this.
        rebuilt.put("stop", count(part, "stop", 0, 0));
      }
      default -> throw unknown(type);
    }
    return rebuilt;
  }

  private static String nonEmpty(JsonNode part, String field) {
    return Optional.of(text(part, field))
        .filter(text -> !text.isEmpty())
        .orElseThrow(() -> wrong(part, field, "a text of at least one character"));
  }
}
