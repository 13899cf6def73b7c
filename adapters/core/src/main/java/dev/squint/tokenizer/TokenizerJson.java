package dev.squint.tokenizer;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.JsonFile;
import dev.squint.onnx.internal.io.Printable;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A {@code tokenizer.json} as the native library may have it.
 *
 * <p>That library ends the process where a file says what it did not think of: while it loads the
 * file, and later while it encodes a text or decodes tokens. So the file is read here, every part
 * is checked against the forms that are known, and what the library gets is not the file but a new
 * one of the checked parts alone: truncation, padding, pairs and unknown fields are left out. This
 * costs two passes over the file, about as much as the library needs to load it: 3 s of processor
 * time for 40 MB, less than 0.1 s for the embedded model. A try in a process of its own would cost
 * a second for every file, and tell nothing of the next text.
 *
 * <p>The forms taken are those of the hub's models: byte-level BPE (GPT-2, Llama 3, Qwen, Phi,
 * CLIP, SmolLM, Mistral's Tekken), SentencePiece BPE with byte fallback (Llama 2, Mistral, Gemma),
 * Unigram with a {@code Precompiled} table (T5, XLM-R, SigLIP), WordPiece (BERT) and WordLevel.
 * Refused are random merges ({@code dropout}), expressions that {@link SplitPattern} does not take,
 * and a {@code Strip} decoder that cuts the ends of tokens.
 *
 * @param json the new file
 * @param added its added tokens
 * @param isBpe whether it merges pairs of bytes or characters
 * @param longestToken characters of the longest token of its vocabulary
 * @param mostCharacters the longest text that is tokenized within seconds and a few hundred MB
 * @param bytes tokens that are decoded together with those around them, each being a byte
 * @param decodesInPieces whether the text of some tokens is how that of more begins
 */
record TokenizerJson(
    byte[] json,
    List<Added> added,
    boolean isBpe,
    int longestToken,
    int mostCharacters,
    Set<Integer> bytes,
    boolean decodesInPieces) {

  /**
   * A text that is one token wherever it stands.
   *
   * @param id its token
   * @param text its letters
   * @param isSpecial whether it is no part of what people write
   */
  record Added(int id, String text, boolean isSpecial) {}

  /** The most bytes of a file; the largest of the hub have 35 million. */
  private static final int LARGEST = 64 << 20;

  private static final int MOST_CHARACTERS = 1_000_000;
  private static final int MOST_ENTRIES = 1_200_000;
  private static final int MOST_MERGES = 3_000_000;
  private static final int MOST_ADDED = 20_000;
  private static final int LONGEST_TOKEN = 4_096;

  /** Frees of longer tokens of a trie overrun the stack of a thread. */
  private static final int LONGEST_PIECE = 512;

  private static final int LONGEST_ADDED = 256;
  private static final int LONGEST_WORD = 200;
  private static final int BYTE_TOKEN = 6;

  /** Tries of a token, from each place and of each length, in a text: some seconds. */
  private static final double MOST_STEPS = 1e9;

  private static final int MOST_VALUES = 400_000;
  private static final Set<String> MODELS = Set.of("BPE", "WordPiece", "WordLevel", "Unigram");
  private static final String MEND = "use the tokenizer that belongs to the model";

  /**
   * Reads a file.
   *
   * @param file where it lies
   * @throws ModelException if it is no tokenizer of a form that is known
   */
  static TokenizerJson read(Path file) {
    byte[] bytes = JsonFile.bytes(file, LARGEST);
    try {
      return new Reading(bytes).result();
    } catch (IllegalArgumentException e) {
      throw new ModelException("%s %s; %s".formatted(file, e.getMessage(), MEND), e);
    } catch (IOException e) {
      throw JsonFile.notJson(file, e);
    }
  }

  private static IllegalArgumentException fault(String what, Object... of) {
    return new IllegalArgumentException(what.formatted(of));
  }

  /** Two passes over a file: what is small first, then the vocabulary. */
  private static final class Reading {

    private final byte[] bytes;
    private final ObjectNode small = JsonNodeFactory.instance.objectNode();
    private final ObjectNode model = JsonNodeFactory.instance.objectNode();
    private final TokenizerParts parts = new TokenizerParts();
    private final Map<String, Added> reserved = new LinkedHashMap<>();
    private boolean listed;
    private int values;
    private final Set<Integer> byteTokens = new HashSet<>();
    private int longest = 1;

    Reading(byte[] bytes) {
      this.bytes = bytes;
    }

    TokenizerJson result() throws IOException {
      readSmall();
      ObjectNode rebuilt = JsonNodeFactory.instance.objectNode().put("version", "1.0");
      rebuilt.putNull("truncation").putNull("padding");
      JsonNode normalizer = parts.normalizer(small.path("normalizer"));
      rebuilt.set("added_tokens", added(small.path("added_tokens")));
      rebuilt.set("normalizer", normalizer);
      rebuilt.set("pre_tokenizer", parts.preTokenizer(small.path("pre_tokenizer")));
      rebuilt.set("post_processor", parts.postProcessor(small.path("post_processor")));
      rebuilt.set("decoder", parts.decoder(small.path("decoder")));
      ObjectNode rebuiltModel = model();
      rebuilt.set("model", rebuiltModel);
      byte[] json = write(rebuilt);
      int most = parts.mostCharacters(MOST_CHARACTERS);
      if (listed) {
        most = (int) Math.min(most, MOST_STEPS / longest / longest);
      }
      int word = model.path("max_input_chars_per_word").asInt(1);
      most = (int) Math.min(most, 10 * MOST_STEPS / Math.max(1, word) / Math.max(1, word));
      boolean isBpe = rebuiltModel.path("type").textValue().equals("BPE");
      List<String> decoders = TokenizerParts.flattened(rebuilt.path("decoder"));
      return new TokenizerJson(
          json,
          List.copyOf(reserved.values()),
          isBpe,
          longest,
          Math.max(1, most),
          decoders.contains("ByteFallback") ? Set.copyOf(byteTokens) : Set.of(),
          TokenizerParts.decodesInPieces(decoders));
    }

    /** Everything but vocabulary and merges. */
    private void readSmall() throws IOException {
      try (JsonParser parser = JsonFile.parser(bytes)) {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
          throw fault("holds no JSON object");
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String field = parser.currentName();
          JsonToken start = parser.nextToken();
          if (field.equals("model") && start == JsonToken.START_OBJECT) {
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
              String of = parser.currentName();
              JsonToken value = parser.nextToken();
              if (of.equals("vocab") || of.equals("merges")) {
                model.put(of, value == JsonToken.START_ARRAY ? "array" : value.name());
                parser.skipChildren();
              } else {
                keep(parser, model, of, value);
              }
            }
          } else {
            keep(parser, small, field, start);
          }
        }
        if (parser.nextToken() != null) {
          throw fault("has more after its end");
        }
      }
    }

    /** A value that is known, if it is not so large that no tokenizer has it. */
    @SuppressWarnings("ReferenceEquality")
    private void keep(JsonParser parser, ObjectNode to, String field, JsonToken start)
        throws IOException {
      if (to == small
          && !List.of("normalizer", "pre_tokenizer", "post_processor", "decoder", "added_tokens")
              .contains(field)) {
        parser.skipChildren();
        return;
      }
      to.set(field, value(parser, start));
    }

    private JsonNode value(JsonParser parser, JsonToken start) throws IOException {
      if (++values > MOST_VALUES) {
        throw fault("has parts of more than %,d values", MOST_VALUES);
      }
      JsonNodeFactory nodes = JsonNodeFactory.instance;
      switch (start) {
        case START_OBJECT -> {
          ObjectNode object = nodes.objectNode();
          while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String field = parser.currentName();
            object.set(field, value(parser, parser.nextToken()));
          }
          return object;
        }
        case START_ARRAY -> {
          ArrayNode array = nodes.arrayNode();
          for (JsonToken next = parser.nextToken();
              next != JsonToken.END_ARRAY;
              next = parser.nextToken()) {
            array.add(value(parser, next));
          }
          return array;
        }
        default -> {
          return parser.readValueAsTree();
        }
      }
    }

    private ArrayNode added(JsonNode given) {
      ArrayNode added = JsonNodeFactory.instance.arrayNode();
      if (given.isMissingNode() || given.isNull()) {
        return added;
      }
      if (!given.isArray() || given.size() > MOST_ADDED) {
        throw fault("has no array of up to %,d 'added_tokens'", MOST_ADDED);
      }
      for (JsonNode token : given) {
        String content =
            token.path("content").isTextual() ? token.path("content").textValue() : null;
        if (content == null
            || content.length() > LONGEST_ADDED
            || !TokenizerParts.isWhole(content)) {
          throw fault("has an added token without a text of up to %d characters", LONGEST_ADDED);
        }
        // The library passes over both as well.
        if (!content.isEmpty() && !reserved.containsKey(content)) {
          longest = Math.max(longest, content.length());
          ObjectNode one = added(token, content);
          added.add(one);
          boolean isSpecial = one.get("special").booleanValue();
          reserved.put(content, new Added(one.get("id").intValue(), content, isSpecial));
          noteByte(content, one.get("id").intValue());
        }
      }
      return added;
    }

    private ObjectNode added(JsonNode token, String content) {
      JsonNode id = token.path("id");
      if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0) {
        throw fault(
            "has an added token '%s' whose 'id' is not a whole number from 0 to %d",
            Printable.of(content), Integer.MAX_VALUE);
      }
      ObjectNode rebuilt = JsonNodeFactory.instance.objectNode();
      rebuilt.put("id", id.intValue()).put("content", content);
      for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized", "special")) {
        if (!token.path(flag).isBoolean()) {
          throw fault(
              "has an added token '%s' whose '%s' is not true or false",
              Printable.of(content), flag);
        }
        rebuilt.put(flag, token.get(flag).booleanValue());
      }
      boolean normalized = rebuilt.get("normalized").booleanValue();
      if (normalized && parts.mayDelete(content)) {
        throw fault(
            "has an added token '%s' of which its normalizer may leave nothing",
            Printable.of(content));
      }
      boolean spaced =
          content.chars().anyMatch(c -> Character.isWhitespace(c) || Character.isSpaceChar(c));
      if (rebuilt.get("lstrip").booleanValue()
          && (spaced || normalized && parts.mayWriteSpaces(content))) {
        throw fault(
            "has an added token '%s' that takes the spaces before it and holds some itself",
            Printable.of(content));
      }
      return rebuilt;
    }

    /** The model's own fields, without vocabulary and merges. */
    private ObjectNode model() {
      listed = model.path("vocab").asText().equals("array");
      String type = model.path("type").asText(untyped());
      if (!MODELS.contains(type)) {
        throw fault("has a model '%s' that is not known", Printable.of(type));
      }
      if (type.equals("Unigram") != listed) {
        throw fault("has a vocabulary of another form than a model '%s' has", type);
      }
      ObjectNode rebuilt = JsonNodeFactory.instance.objectNode().put("type", type);
      switch (type) {
        case "BPE" -> {
          JsonNode dropout = model.path("dropout");
          if (!dropout.isMissingNode()
              && !dropout.isNull()
              && !(dropout.isNumber() && dropout.asDouble() == 0)) {
            throw fault("leaves merges out at random ('dropout')");
          }
          for (String text :
              List.of("unk_token", "continuing_subword_prefix", "end_of_word_suffix")) {
            rebuilt.set(
                text, model.hasNonNull(text) ? textOf(text) : JsonNodeFactory.instance.nullNode());
          }
          for (String flag : List.of("fuse_unk", "byte_fallback", "ignore_merges")) {
            rebuilt.put(flag, model.hasNonNull(flag) && flagOf(flag));
          }
        }
        case "WordPiece" -> {
          rebuilt.set("unk_token", textOf("unk_token"));
          rebuilt.set("continuing_subword_prefix", textOf("continuing_subword_prefix"));
          rebuilt.put(
              "max_input_chars_per_word", countOf("max_input_chars_per_word", LONGEST_WORD));
        }
        case "WordLevel" -> rebuilt.set("unk_token", textOf("unk_token"));
        default -> {
          if (model.hasNonNull("unk_id")) {
            rebuilt.put("unk_id", countOf("unk_id", MOST_ENTRIES));
          } else {
            rebuilt.putNull("unk_id");
          }
          rebuilt.put(
              "byte_fallback", model.hasNonNull("byte_fallback") && flagOf("byte_fallback"));
        }
      }
      return rebuilt;
    }

    /** What a model without a type is, as old files have it. */
    private String untyped() {
      return model.has("merges")
          ? "BPE"
          : listed ? "Unigram" : model.has("max_input_chars_per_word") ? "WordPiece" : "WordLevel";
    }

    private JsonNode textOf(String field) {
      JsonNode value = model.path(field);
      if (!value.isTextual()
          || value.textValue().length() > LONGEST_ADDED
          || !TokenizerParts.isWhole(value.textValue())) {
        throw fault(
            "has a model whose '%s' is not a text of up to %d characters", field, LONGEST_ADDED);
      }
      return value;
    }

    private boolean flagOf(String field) {
      if (!model.path(field).isBoolean()) {
        throw fault("has a model whose '%s' is not true or false", field);
      }
      return model.get(field).booleanValue();
    }

    private int countOf(String field, int most) {
      JsonNode value = model.path(field);
      if (!value.isIntegralNumber()
          || !value.canConvertToInt()
          || value.intValue() < 0
          || value.intValue() > most) {
        throw fault("has a model whose '%s' is not a whole number from 0 to %d", field, most);
      }
      return value.intValue();
    }

    private byte[] write(ObjectNode rebuilt) throws IOException {
      ObjectNode fields = (ObjectNode) rebuilt.remove("model");
      ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length + 1024);
      try (JsonParser parser = JsonFile.parser(bytes);
          JsonGenerator json = JsonFile.generator(out)) {
        json.writeStartObject();
        for (var field : rebuilt.properties()) {
          json.writeFieldName(field.getKey());
          json.writeTree(field.getValue());
        }
        json.writeObjectFieldStart("model");
        for (var field : fields.properties()) {
          json.writeFieldName(field.getKey());
          json.writeTree(field.getValue());
        }
        boolean merges = fields.path("type").textValue().equals("BPE");
        Set<String> written =
            copy(
                parser,
                json,
                merges,
                fields.path("continuing_subword_prefix").asText(""),
                fields.path("unk_id").asInt(-1));
        if (!written.contains("vocab") || merges && !written.contains("merges")) {
          throw fault("has no vocabulary");
        }
        json.writeEndObject();
        json.writeEndObject();
      }
      return out.toByteArray();
    }

    private Set<String> copy(
        JsonParser parser, JsonGenerator json, boolean merges, String prefix, int unknown)
        throws IOException {
      Set<String> written = new LinkedHashSet<>();
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        boolean isModel = parser.currentName().equals("model");
        if (parser.nextToken() == JsonToken.START_OBJECT && isModel) {
          while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String field = parser.currentName();
            parser.nextToken();
            if (field.equals("vocab")) {
              json.writeFieldName(field);
              if (listed) {
                pieces(parser, json, unknown);
              } else {
                numbers(parser, json);
              }
              written.add(field);
            } else if (field.equals("merges") && merges) {
              json.writeFieldName(field);
              merges(parser, json, prefix);
              written.add(field);
            } else {
              parser.skipChildren();
            }
          }
        } else {
          parser.skipChildren();
        }
      }
      return written;
    }

    private String token(String text, int most) {
      if (text.length() > most || !TokenizerParts.isWhole(text)) {
        throw fault("has a vocabulary with what is no text of up to %,d characters", most);
      }
      longest = Math.max(longest, text.length());
      return text;
    }

    private void noteByte(String token, int id) {
      if (token.length() == BYTE_TOKEN && token.startsWith("<0x") && token.endsWith(">")) {
        byteTokens.add(id);
      }
    }

    private static void expect(JsonParser parser, JsonToken wanted, String what) {
      if (parser.currentToken() != wanted) {
        throw fault("has %s of a form that is not known", what);
      }
    }

    private void numbers(JsonParser parser, JsonGenerator json) throws IOException {
      expect(parser, JsonToken.START_OBJECT, "a vocabulary");
      json.writeStartObject();
      for (int entries = 1; parser.nextToken() == JsonToken.FIELD_NAME; entries++) {
        String text = token(parser.currentName(), LONGEST_TOKEN);
        json.writeFieldName(text);
        if (parser.nextToken() != JsonToken.VALUE_NUMBER_INT
            || parser.getNumberType() != JsonParser.NumberType.INT
            || parser.getIntValue() < 0) {
          throw fault("has a vocabulary with what is no number from 0 to %d", Integer.MAX_VALUE);
        }
        json.writeNumber(parser.getIntValue());
        noteByte(text, parser.getIntValue());
        checkCount(entries, MOST_ENTRIES);
      }
      json.writeEndObject();
    }

    private static void checkCount(int entries, int most) {
      if (entries > most) {
        throw fault("has a vocabulary of more than %,d entries", most);
      }
    }

    private void pieces(JsonParser parser, JsonGenerator json, int unknown) throws IOException {
      expect(parser, JsonToken.START_ARRAY, "a vocabulary");
      json.writeStartArray();
      int entries = 0;
      while (parser.nextToken() == JsonToken.START_ARRAY) {
        parser.nextToken();
        expect(parser, JsonToken.VALUE_STRING, "a vocabulary");
        json.writeStartArray();
        String text = token(parser.getText(), LONGEST_PIECE);
        json.writeString(text);
        noteByte(text, entries);
        JsonToken score = parser.nextToken();
        double value = score != null && score.isNumeric() ? parser.getDoubleValue() : Double.NaN;
        if (!(Math.abs(value) <= Float.MAX_VALUE)) {
          throw fault("has a vocabulary with what is no score");
        }
        json.writeNumber(value);
        json.writeEndArray();
        parser.nextToken();
        expect(parser, JsonToken.END_ARRAY, "a vocabulary");
        checkCount(++entries, MOST_ENTRIES);
      }
      expect(parser, JsonToken.END_ARRAY, "a vocabulary");
      json.writeEndArray();
      if (unknown >= entries) {
        throw fault("has a model whose 'unk_id' %d is not in its vocabulary", unknown);
      }
    }

    private void merges(JsonParser parser, JsonGenerator json, String prefix) throws IOException {
      expect(parser, JsonToken.START_ARRAY, "merges");
      json.writeStartArray();
      for (int entries = 1; parser.nextToken() != JsonToken.END_ARRAY; entries++) {
        String left;
        String right;
        if (parser.currentToken() == JsonToken.START_ARRAY) {
          parser.nextToken();
          expect(parser, JsonToken.VALUE_STRING, "merges");
          left = parser.getText();
          parser.nextToken();
          expect(parser, JsonToken.VALUE_STRING, "merges");
          right = parser.getText();
          parser.nextToken();
          expect(parser, JsonToken.END_ARRAY, "merges");
        } else {
          expect(parser, JsonToken.VALUE_STRING, "merges");
          String merge = parser.getText();
          if (merge.startsWith("#version")) {
            continue;
          }
          int space = merge.indexOf(' ');
          if (space < 0 || space != merge.lastIndexOf(' ')) {
            throw fault("has merges of a form that is not known");
          }
          left = merge.substring(0, space);
          right = merge.substring(space + 1);
        }
        // The library cuts the prefix off whatever is there.
        if (!right.startsWith(prefix)) {
          throw fault("has merges without its 'continuing_subword_prefix'");
        }
        json.writeStartArray();
        json.writeString(token(left, LONGEST_TOKEN));
        json.writeString(token(right, LONGEST_TOKEN));
        json.writeEndArray();
        checkCount(entries, MOST_MERGES);
      }
      json.writeEndArray();
    }
  }
}
