package dev.squint.cli.torture;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Base64;
import java.util.List;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/** Puts a {@code tokenizer.json} together from components of every type, sound or nearly so. */
final class TokenizerMaker {

  private static final List<String> TEXTS =
      List.of(
          "",
          " ",
          "a",
          "▁",
          "Ġ",
          "##",
          "<unk>",
          "<s>",
          "</s>",
          "<image>",
          "é",
          "\u0301",
          "\ud83d\ude00",
          "\u0000",
          "</w>",
          "ab",
          "<pad>",
          "zz");
  private static final List<String> PATTERNS =
      List.of(
          "",
          "a",
          " ",
          ".",
          "a*",
          "\\s+",
          "(?:)",
          "^",
          "$",
          "\\b",
          "(a+)+$",
          "(?=a)",
          "(?<!a)",
          "[",
          "(",
          "\\p{L}+",
          "a{1,1000}",
          "(a|aa)+$",
          "(.*)*",
          "\\1",
          "'s|'t|\\p{L}+|\\p{N}+|\\s+(?!\\S)|\\s+",
          "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}");
  private static final List<String> SOUND_PATTERNS =
      List.of(
          "a",
          " ",
          "ab",
          "\\s+",
          "\\p{L}+",
          "[0-9]",
          "[^a-z]",
          "'s|'t|\\p{L}+|\\p{N}+|\\s+(?!\\S)|\\s+",
          "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}");
  private static final List<String> CHARACTERS = List.of("a", " ", "▁", "é", "\ud83d\ude00", "z");
  private static final List<String> TOKENS = List.of("<pad>", "<s>", "</s>", "a", "b", "c");
  private static final List<String> BEHAVIORS =
      List.of("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous");
  private static final int DEEP = 4;

  private final RandomGenerator random;
  private final ObjectMapper json = new ObjectMapper();

  TokenizerMaker(RandomGenerator random) {
    this.random = random;
  }

  ObjectNode make() {
    ObjectNode root = TinyModel.tokenizer(json);
    if (random.nextInt(3) > 0) {
      root.set("normalizer", normalizer(0));
    }
    if (random.nextInt(3) > 0) {
      root.set("pre_tokenizer", preTokenizer(0));
    }
    if (random.nextInt(3) > 0) {
      root.set("post_processor", postProcessor(0));
    }
    if (random.nextInt(3) > 0) {
      root.set("decoder", decoder(0));
    }
    if (random.nextInt(3) > 0) {
      model(root);
    }
    if (random.nextInt(6) == 0) {
      added((ArrayNode) root.get("added_tokens"));
    }
    if (random.nextInt(8) == 0) {
      root.putObject("truncation")
          .put("direction", "Right")
          .put("max_length", number())
          .put("strategy", "LongestFirst")
          .put("stride", number());
    }
    if (random.nextInt(8) == 0) {
      ObjectNode padding =
          root.putObject("padding")
              .put("direction", "Left")
              .put("pad_id", number())
              .put("pad_type_id", 0)
              .put("pad_token", text());
      padding.putObject("strategy").put("Fixed", random.nextInt(100));
      padding.put("pad_to_multiple_of", random.nextInt(9));
    }
    return root;
  }

  private <T> T any(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  /** Most components are sound, so that the ones next to them are reached. */
  private boolean sound() {
    return random.nextInt(12) > 0;
  }

  private String text() {
    return any(TEXTS);
  }

  private String behavior() {
    return sound() ? any(BEHAVIORS) : "Nonsense";
  }

  /** What has to be one character. */
  private String character() {
    return sound() ? any(CHARACTERS) : text();
  }

  /** What has to be a token. */
  private String token() {
    return sound() ? any(TOKENS) : text();
  }

  private long number() {
    return random.nextInt(3) == 0 ? new ByteMutator(random).number() : random.nextInt(80);
  }

  private long count() {
    return sound() ? random.nextInt(3) : number();
  }

  private ObjectNode of(String type) {
    return json.createObjectNode().put("type", type);
  }

  private JsonNode pattern() {
    String pattern = any(sound() ? SOUND_PATTERNS : PATTERNS);
    return json.createObjectNode().put(random.nextBoolean() ? "String" : "Regex", pattern);
  }

  private ArrayNode several(Supplier<ObjectNode> one) {
    ArrayNode array = json.createArrayNode();
    int count = random.nextInt(4);
    for (int i = 0; i < count; i++) {
      array.add(one.get());
    }
    return array;
  }

  private ObjectNode normalizer(int depth) {
    return switch (random.nextInt(depth < DEEP ? 15 : 14)) {
      case 0 -> of(any(List.of("NFC", "NFD", "NFKC", "NFKD")));
      case 1 -> of("Lowercase");
      case 2, 3 ->
          of("Strip")
              .put("strip_left", random.nextBoolean())
              .put("strip_right", random.nextBoolean());
      case 4 -> of("StripAccents");
      case 5, 6, 7 -> of("Replace").put("content", text()).set("pattern", pattern());
      case 8 -> of("Prepend").put("prepend", text());
      case 9, 10 -> of("Precompiled").put("precompiled_charsmap", charsmap());
      case 11 ->
          of("BertNormalizer")
              .put("clean_text", random.nextBoolean())
              .put("handle_chinese_chars", true)
              .put("strip_accents", random.nextBoolean())
              .put("lowercase", random.nextBoolean());
      case 12 -> of("Nmt");
      case 13 -> of("ByteLevel");
      default -> of("Sequence").set("normalizers", several(() -> normalizer(depth + 1)));
    };
  }

  /** A trie and the texts after it, as SentencePiece writes them; most often not quite. */
  private String charsmap() {
    byte[] map = new byte[random.nextInt(200)];
    random.nextBytes(map);
    if (map.length >= 4 && random.nextBoolean()) {
      int trie = random.nextInt(3) == 0 ? map.length : random.nextInt(map.length) / 4 * 4;
      map[0] = (byte) trie;
      map[1] = (byte) (trie >> 8);
      map[2] = 0;
      map[3] = 0;
    }
    return Base64.getEncoder().encodeToString(map);
  }

  private ObjectNode preTokenizer(int depth) {
    return switch (random.nextInt(depth < DEEP ? 13 : 12)) {
      case 0 -> of("BertPreTokenizer");
      case 1 ->
          of("ByteLevel")
              .put("add_prefix_space", random.nextBoolean())
              .put("trim_offsets", random.nextBoolean())
              .put("use_regex", random.nextBoolean());
      case 2 -> of("CharDelimiterSplit").put("delimiter", character());
      case 3, 4 ->
          of("Metaspace")
              .put("replacement", character())
              .put("prepend_scheme", any(List.of("always", "never", "first", "x")))
              .put("split", random.nextBoolean());
      case 5 -> of("Whitespace");
      case 6 -> of("WhitespaceSplit");
      case 7, 8 ->
          of("Split")
              .put("behavior", behavior())
              .put("invert", random.nextBoolean())
              .set("pattern", pattern());
      case 9 -> of("Punctuation").put("behavior", behavior());
      case 10 -> of("Digits").put("individual_digits", random.nextBoolean());
      case 11 ->
          random.nextBoolean() ? of("UnicodeScripts") : of("FixedLength").put("length", number());
      default -> of("Sequence").set("pretokenizers", several(() -> preTokenizer(depth + 1)));
    };
  }

  private ArrayNode pair() {
    return json.createArrayNode().add(token()).add(sound() ? random.nextInt(4) : number());
  }

  private ObjectNode postProcessor(int depth) {
    return switch (random.nextInt(depth < DEEP ? 6 : 5)) {
      case 0 -> {
        ObjectNode made = of("BertProcessing");
        made.set("sep", pair());
        made.set("cls", pair());
        yield made;
      }
      case 1 -> {
        ObjectNode made =
            of("RobertaProcessing")
                .put("trim_offsets", random.nextBoolean())
                .put("add_prefix_space", random.nextBoolean());
        made.set("sep", pair());
        made.set("cls", pair());
        yield made;
      }
      case 2, 3 -> template();
      case 4 ->
          of("ByteLevel")
              .put("add_prefix_space", true)
              .put("trim_offsets", random.nextBoolean())
              .put("use_regex", true);
      default -> of("Sequence").set("processors", several(() -> postProcessor(depth + 1)));
    };
  }

  private ObjectNode template() {
    ObjectNode made = of("TemplateProcessing");
    ObjectNode tokens = json.createObjectNode();
    frame(made.putArray("single"), List.of("A"), tokens);
    frame(made.putArray("pair"), List.of("A", "B"), tokens);
    made.set("special_tokens", tokens);
    return made;
  }

  private void frame(ArrayNode pieces, List<String> sequences, ObjectNode tokens) {
    for (String sequence : sequences) {
      special(pieces, tokens);
      if (sound()) {
        pieces.addObject().putObject("Sequence").put("id", sequence).put("type_id", count());
      }
    }
    special(pieces, tokens);
  }

  private void special(ArrayNode pieces, ObjectNode tokens) {
    if (random.nextBoolean()) {
      return;
    }
    String id = token();
    pieces.addObject().putObject("SpecialToken").put("id", id).put("type_id", count());
    if (sound()) {
      ObjectNode token = tokens.putObject(id).put("id", sound() ? id : text());
      token.putArray("ids").add(sound() ? random.nextInt(4) : number());
      if (sound()) {
        token.putArray("tokens").add(id);
      }
    }
  }

  private ObjectNode decoder(int depth) {
    return switch (random.nextInt(depth < DEEP ? 12 : 11)) {
      case 0 ->
          of("ByteLevel")
              .put("add_prefix_space", true)
              .put("trim_offsets", true)
              .put("use_regex", true);
      case 1, 2 -> of("Replace").put("content", text()).set("pattern", pattern());
      case 3 -> of("WordPiece").put("prefix", text()).put("cleanup", random.nextBoolean());
      case 4 -> of("ByteFallback");
      case 5 -> of("Fuse");
      case 6, 7, 8 ->
          of("Strip").put("content", character()).put("start", count()).put("stop", count());
      case 9 ->
          of("Metaspace")
              .put("replacement", character())
              .put("prepend_scheme", "always")
              .put("split", true);
      case 10 ->
          random.nextBoolean()
              ? of("BPEDecoder").put("suffix", text())
              : of("CTC")
                  .put("pad_token", text())
                  .put("word_delimiter_token", text())
                  .put("cleanup", true);
      default -> of("Sequence").set("decoders", several(() -> decoder(depth + 1)));
    };
  }

  private ObjectNode vocabulary() {
    ObjectNode vocabulary = (ObjectNode) TinyModel.tokenizer(json).at("/model/vocab");
    int count = random.nextInt(12);
    for (int i = 0; i < count; i++) {
      vocabulary.put(
          random.nextBoolean() ? text() : text() + text(),
          sound() ? random.nextInt(TinyModel.VOCABULARY) : number());
    }
    return vocabulary;
  }

  private void model(ObjectNode root) {
    ObjectNode vocabulary = vocabulary();
    ObjectNode model =
        switch (random.nextInt(6)) {
          case 0, 1, 2 -> bytePairs(vocabulary);
          case 3 ->
              of("WordPiece")
                  .put("unk_token", token())
                  .put("continuing_subword_prefix", text())
                  .put("max_input_chars_per_word", sound() ? 100 : number())
                  .set("vocab", vocabulary);
          case 4 -> of("WordLevel").put("unk_token", token()).set("vocab", vocabulary);
          default -> unigram(vocabulary);
        };
    root.set("model", model);
  }

  private ObjectNode bytePairs(ObjectNode vocabulary) {
    ObjectNode model = of("BPE");
    if (!sound()) {
      model.put("dropout", random.nextDouble() * 2 - 0.5);
    }
    if (random.nextBoolean()) {
      model.put("unk_token", token());
    }
    if (!sound()) {
      model.put("continuing_subword_prefix", text());
    }
    if (random.nextInt(3) == 0) {
      model.put("end_of_word_suffix", text());
    }
    model
        .put("fuse_unk", random.nextBoolean())
        .put("byte_fallback", random.nextBoolean())
        .put("ignore_merges", random.nextBoolean());
    ArrayNode merges = json.createArrayNode();
    int count = random.nextInt(6);
    for (int i = 0; i < count; i++) {
      String left = text();
      String right = text();
      if (sound()) {
        vocabulary.put(left, random.nextInt(TinyModel.VOCABULARY));
        vocabulary.put(right, random.nextInt(TinyModel.VOCABULARY));
        vocabulary.put(left + right, random.nextInt(TinyModel.VOCABULARY));
      }
      if (random.nextBoolean()) {
        merges.add(left + " " + right);
      } else {
        merges.add(json.createArrayNode().add(left).add(right));
      }
    }
    model.set("vocab", vocabulary);
    model.set("merges", merges);
    return model;
  }

  private ObjectNode unigram(ObjectNode vocabulary) {
    ObjectNode model = of("Unigram").put("byte_fallback", random.nextBoolean());
    if (random.nextInt(4) > 0) {
      model.put("unk_id", sound() ? 0 : number());
    }
    ArrayNode pieces = model.putArray("vocab");
    vocabulary
        .fieldNames()
        .forEachRemaining(piece -> pieces.addArray().add(piece).add(-random.nextDouble() * 10));
    return model;
  }

  private void added(ArrayNode tokens) {
    int count = 1 + random.nextInt(3);
    for (int i = 0; i < count; i++) {
      tokens
          .addObject()
          .put("id", sound() ? random.nextInt(TinyModel.VOCABULARY) : number())
          .put("content", text())
          .put("single_word", random.nextBoolean())
          .put("lstrip", random.nextBoolean())
          .put("rstrip", random.nextBoolean())
          .put("normalized", random.nextBoolean())
          .put("special", random.nextBoolean());
    }
  }
}
