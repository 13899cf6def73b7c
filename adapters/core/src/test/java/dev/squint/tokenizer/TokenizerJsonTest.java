package dev.squint.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.error.ModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Base64;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What would end the process in the native library is refused before it gets there. */
class TokenizerJsonTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private ObjectNode tokenizer;

  @BeforeEach
  void start() throws IOException {
    tokenizer = form("llama2");
  }

  private static ObjectNode form(String name) throws IOException {
    return (ObjectNode) TextTokenizerTest.cases().path(name).path("tokenizer");
  }

  private void refused(String reason) throws IOException {
    refusedText(tokenizer.toString(), reason);
  }

  private void refusedText(String text, String reason) throws IOException {
    Path file = Files.writeString(folder.resolve("tokenizer.json"), text);
    assertThatThrownBy(() -> TextTokenizer.open(folder).close())
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith(file + " ")
        .hasMessageContaining(reason)
        .hasMessageMatching("(?s)[^\\n]+; [^\\n]+");
  }

  /** A part of one quote style less, what it is, and the reason. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        // Each of these ends the process if the library gets it.
        "normalizer; {'type':'Precompiled','precompiled_charsmap':'AAAA'}; is cut short",
        "normalizer; {'type':'Precompiled','precompiled_charsmap':'?'}; is not Base64",
        "normalizer; {'type':'Precompiled'}; is not a text",
        "normalizer; {'type':'Replace','pattern':{'Regex':'a*'},'content':'b'}; matches nothing at all",
        "normalizer; {'type':'Replace','pattern':{'Regex':'(a+)+b'},'content':'b'}; fixed length",
        "post_processor; {'type':'TemplateProcessing','single':[{'SpecialToken':{'id':'<q>','type_id':0}},{'Sequence':{'id':'A','type_id':0}}],'pair':[],'special_tokens':{}}; names '<q>' and does not define it",
        "post_processor; {'type':'TemplateProcessing','single':[{'Sequence':{'id':'B','type_id':0}}],'pair':[],'special_tokens':{}}; does not hold its text once",
        "post_processor; {'type':'Sequence','processors':[{'type':'TemplateProcessing','single':[{'Sequence':{'id':'A','type_id':0}}],'pair':[],'special_tokens':{}},{'type':'BertProcessing','sep':['a',1],'cls':['b',2]}]}; more than one frame",
        "decoder; {'type':'Strip','content':'a','start':0,'stop':1}; 'stop' is not a whole number from 0 to 0",
        "pre_tokenizer; {'type':'FixedLength','length':0}; 'length' is not a whole number from 1",
        "pre_tokenizer; {'type':'Split','pattern':{'Regex':'(a|a)*b'},'behavior':'Isolated','invert':false}; fixed length",
        // And these fill the memory, or mean nothing.
        "normalizer; {'type':'Sequence','normalizers':[{'type':'Replace','pattern':{'String':'a'},'content':'aaaaaaaaa'},{'type':'Replace','pattern':{'String':'a'},'content':'aaaaaaaaa'}]}; 16 times as long",
        "decoder; {'type':'Replace','pattern':{'Regex':'a+b'},'content':'c'}; one pass",
        "decoder; {'type':'BPEDecoder','suffix':''}; at least one character",
        "decoder; {'type':'CTC','pad_token':'','word_delimiter_token':'|','cleanup':true}; at least one",
        "normalizer; {'type':'Prepend','prepend':''}; 1 to 16 characters",
        "normalizer; {'type':'Unheard'}; 'Unheard' that is not known",
        "normalizer; {'type':3}; without a 'type'",
        "normalizer; [1]; without a 'type'",
        "normalizer; {'type':'Sequence','normalizers':{}}; not an array",
        "pre_tokenizer; {'type':'ByteLevel','add_prefix_space':'yes','trim_offsets':true}; 'add_prefix_space' is not true or false",
        "pre_tokenizer; {'type':'Metaspace','replacement':'ab'}; not one character",
        "pre_tokenizer; {'type':'Split','pattern':{'String':''},'behavior':'Isolated','invert':false}; 1 to 256",
        "pre_tokenizer; {'type':'Punctuation','behavior':'Other'}; one of Contiguous",
        "post_processor; {'type':'BertProcessing','sep':['a',4294967297],'cls':['b',2]}; a token and its number",
        "added_tokens; [{'id':4294967297,'content':'a','single_word':false,'lstrip':false,'rstrip':false,'normalized':false,'special':true}]; whose 'id' is not a whole number",
        "added_tokens; [{'id':1,'content':'a'}]; 'single_word' is not true or false",
        "added_tokens; [{'id':1}]; without a text",
        "added_tokens; {}; no array",
        "added_tokens; [{'id':1,'content':' a','single_word':false,'lstrip':true,'rstrip':false,'normalized':false,'special':true}]; takes the spaces before it",
      })
  void partsThatWouldEndTheProcessAreRefused(String field, String part, String reason)
      throws IOException {
    tokenizer.set(field, JSON.readTree(part.replace('\'', '"')));
    refused(reason);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "llama2; dropout; 0.5; at random",
        "llama2; dropout; \"a\"; at random",
        "llama2; unk_token; 3; not a text",
        "llama2; fuse_unk; 1; not true or false",
        "llama2; continuing_subword_prefix; \"##\"; merges without its",
        "llama2; type; \"Other\"; 'Other' that is not known",
        "llama2; vocab; []; of another form",
        "llama2; vocab; {\"a\":1e999}; no number from 0",
        "llama2; vocab; {\"a\":4294967297}; no number from 0",
        "llama2; vocab; {\"a\":-1}; no number from 0",
        "llama2; vocab; {\"a\":1.5}; no number from 0",
        "llama2; merges; [1]; merges of a form",
        "llama2; merges; [\"a b c\"]; merges of a form",
        "llama2; merges; {}; merges of a form",
        "llama2; merges; null; merges of a form",
        "llama2; merges; [[\"a\",\"q\"]]; is no tokenizer",
        "t5; unk_id; 5000; not in its vocabulary",
        "t5; unk_id; -1; not a whole number",
        "t5; vocab; [[\"a\",1e999]]; no score",
        "t5; vocab; [[\"a\",\"b\"]]; no score",
        "t5; vocab; [[\"a\"]]; no score",
        "t5; vocab; [[\"a\",0,0]]; a vocabulary of a form",
        "t5; vocab; [\"a\"]; a vocabulary of a form",
        "t5; vocab; {}; another form",
        "bert; max_input_chars_per_word; 1000000; not a whole number from 0 to 200",
        "bert; continuing_subword_prefix; null; not a text",
      })
  void modelsAreChecked(String form, String field, String value, String reason) throws IOException {
    tokenizer = form(form);
    ObjectNode model = (ObjectNode) tokenizer.get("model");
    // As text: a tree does not hold 1e999.
    model.put(field, "@");
    refusedText(
        tokenizer.toString().replace("\"" + field + "\":\"@\"", "\"" + field + "\":" + value),
        reason);
  }

  @Test
  void tokensThatNormalizeToNothingAreRefused() throws IOException {
    tokenizer.set("normalizer", JSON.readTree("{\"type\":\"StripAccents\"}"));
    ((ArrayNode) tokenizer.get("added_tokens"))
        .addObject()
        .put("id", 1)
        .put("content", "\u0301")
        .put("single_word", false)
        .put("lstrip", false)
        .put("rstrip", false)
        .put("normalized", true)
        .put("special", false);
    refused("of which its normalizer may leave nothing");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[]",
        "3",
        "{",
        "{}",
        "{\"model\":{}}",
        "{\"model\":[]}",
        "nul",
        "\u0000",
        "{\"decoder\":"
      })
  void whatIsNoTokenizerIsRefused(String text) throws IOException {
    refusedText(text, "");
  }

  static Stream<String> bombs() {
    return Stream.of(
        "[".repeat(1_000_000),
        "{\"decoder\":" + "{\"a\":".repeat(100_000),
        "{\"decoder\":[" + "1,".repeat(2_000_000) + "1]}",
        "{\"model\":{\"vocab\":{" + "\"a\":1,".repeat(100) + "\"b\":1}}}",
        "{\"model\":{\"type\":" + "9".repeat(100_000) + "}}");
  }

  @ParameterizedTest
  @MethodSource("bombs")
  void bombsAreRefused(String text) throws IOException {
    refusedText(text, "");
  }

  @Test
  void unknownFieldsAreReadOver() throws IOException {
    tokenizer.putArray("other").add(1e300).addArray().add("x");
    ((ObjectNode) tokenizer.get("model")).putObject("other").put("a", 1);
    Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toString());
    try (TextTokenizer opened = TextTokenizer.open(folder)) {
      assertThat(opened.tokens("a", true)).isNotEmpty();
    }
  }

  /** A table with one unit changed so that it leads elsewhere. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void tablesThatLeadOutOfThemselvesAreRefused(int changed) throws IOException {
    tokenizer = form("t5");
    ObjectNode table = (ObjectNode) tokenizer.get("normalizer").get("normalizers").get(0);
    byte[] bytes = Base64.getDecoder().decode(table.get("precompiled_charsmap").textValue());
    ByteBuffer units = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int first = firstUsed(units);
    switch (changed) {
      case 0 -> units.putInt(4, 0x1fffff << 10);
      case 1 -> units.putInt(first, units.getInt(first) & 0xff | 1 << 8 | 0x1fffff << 10);
      case 2 -> bytes[bytes.length - 2] = (byte) 0xff;
      default -> units.putInt(0, bytes.length);
    }
    table.put("precompiled_charsmap", Base64.getEncoder().encodeToString(bytes));
    refused("a part 'Precompiled' whose table ");
  }

  /** The first unit that hangs below the root. */
  private static int firstUsed(ByteBuffer units) {
    int root = units.getInt(4);
    int base = (root >>> 10) << ((root & 1 << 9) >>> 6);
    for (int label = 1; label < 256; label++) {
      int at = 4 + 4 * (base ^ label);
      if ((units.getInt(at) & (1 << 31 | 0xff)) == label) {
        return at;
      }
    }
    throw new IllegalStateException("an empty table");
  }

  @Test
  void filesBeyondAnyTokenizersSizeAreNotRead() throws IOException {
    Path file = folder.resolve("tokenizer.json");
    try (var channel =
        Files.newByteChannel(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.position(3L << 30);
      channel.write(ByteBuffer.wrap("}".getBytes(StandardCharsets.UTF_8)));
    }
    assertThatThrownBy(() -> TokenizerJson.read(file))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("is larger than 67,108,864 bytes");
  }

  @Test
  void longTextsAreBoundedByWhatTheExpressionsMayCost() throws IOException {
    tokenizer = form("gpt2");
    assertThat(mostCharacters("\\\\p{L}+|\\\\s+")).isEqualTo(1_000_000);
    assertThat(mostCharacters("a+b|c")).isLessThan(30_000);
    assertThat(mostCharacters("\\\\s+$")).isEqualTo(1_000_000);
  }

  private int mostCharacters(String expression) throws IOException {
    JsonNode split =
        JSON.readTree(
            "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"%s\"},\"behavior\":\"Isolated\",\"invert\":false}"
                .formatted(expression));
    tokenizer.set("pre_tokenizer", split);
    Path file = Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toString());
    return TokenizerJson.read(file).mostCharacters();
  }
}
