package dev.squint.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Pieces joined are what the tokenizer makes of all tokens at once, whatever these are. */
class IncrementalTextTest {

  private static final int SEQUENCES = 120;
  private static final int LONGEST = 160;

  @TempDir Path folder;

  static Stream<Arguments> forms() throws IOException {
    return Stream.concat(
        TextTokenizerTest.forms(),
        Stream.of(
            Arguments.of(
                "joined, then replaced",
                new ObjectMapper()
                    .readTree(
                        """
                        {"tokenizer":{"added_tokens":[],"normalizer":null,"pre_tokenizer":null,"post_processor":null,
                        "decoder":{"type":"Sequence","decoders":[{"type":"Fuse"},
                        {"type":"Replace","pattern":{"String":"ab"},"content":"c"}]},
                        "model":{"type":"WordLevel","vocab":{"a":0,"b":1,"aa":2," ":3},"unk_token":"a"}}}
                        """)),
            Arguments.of(
                "no decoder",
                new ObjectMapper()
                    .readTree(
                        """
                        {"tokenizer":{"added_tokens":[],"normalizer":null,"pre_tokenizer":null,"post_processor":null,
                        "decoder":null,"model":{"type":"WordLevel","vocab":
                        {"it":0,"'s":1,".":2,"'":3,"n't":4,"?":5,"":6," ":7},"unk_token":"it"}}}
                        """))));
  }

  private static List<Long> ids(JsonNode tokenizer) {
    List<Long> ids = new ArrayList<>();
    JsonNode vocabulary = tokenizer.path("model").path("vocab");
    if (vocabulary.isArray()) {
      for (long id = 0; id < vocabulary.size(); id++) {
        ids.add(id);
      }
    } else {
      vocabulary.forEach(id -> ids.add(id.asLong()));
    }
    tokenizer.path("added_tokens").forEach(token -> ids.add(token.path("id").asLong()));
    return ids;
  }

  private static List<String> pieces(TextTokenizer tokenizer, long... tokens) {
    IncrementalText text = tokenizer.incremental();
    List<String> pieces = new ArrayList<>();
    for (long token : tokens) {
      pieces.add(text.add(token));
    }
    pieces.add(text.end());
    return pieces;
  }

  private static String whole(TextTokenizer tokenizer, long... tokens) {
    String text = tokenizer.decoded(tokens);
    return tokenizer.cleansUp() ? TextTokenizer.cleanedUp(text) : text;
  }

  /** Few different tokens in a sequence, so that runs of bytes and repetitions occur. */
  private static long[] sequence(List<Long> ids, Random random) {
    int different = 1 + random.nextInt(random.nextBoolean() ? 4 : ids.size());
    int from = random.nextInt(ids.size());
    return random
        .ints(1 + random.nextInt(LONGEST), 0, different)
        .mapToLong(i -> ids.get((from + i) % ids.size()))
        .toArray();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("forms")
  void piecesJoinedAreTheWhole(String name, JsonNode form) throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), form.path("tokenizer").toString());
    List<Long> ids = ids(form.path("tokenizer"));
    Random random = new Random(name.hashCode());
    for (boolean cleansUp : new boolean[] {false, true}) {
      Files.writeString(
          folder.resolve("tokenizer_config.json"),
          "{\"clean_up_tokenization_spaces\":%b,\"clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output\":%b}"
              .formatted(cleansUp, cleansUp));
      try (TextTokenizer tokenizer = TextTokenizer.open(folder)) {
        for (int i = 0; i < SEQUENCES; i++) {
          long[] tokens = sequence(ids, random);
          List<String> pieces = pieces(tokenizer, tokens);
          assertThat(String.join("", pieces))
              .as("%s, cleaned up: %b, %s", name, cleansUp, Arrays.toString(tokens))
              .isEqualTo(whole(tokenizer, tokens));
        }
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("forms")
  void textsComeInWholeCharactersAndNotAtTheEndOnly(String name, JsonNode form) throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), form.path("tokenizer").toString());
    try (TextTokenizer tokenizer = TextTokenizer.open(folder)) {
      for (JsonNode row : form.path("rows")) {
        long[] ids = new long[row.path("ids").size()];
        Arrays.setAll(ids, i -> row.path("ids").get(i).asLong());
        List<String> pieces = pieces(tokenizer, ids);
        assertThat(String.join("", pieces)).isEqualTo(tokenizer.decoded(ids));
        for (String piece : pieces) {
          assertThat(
                  piece.codePoints().noneMatch(c -> c <= 0xffff && Character.isSurrogate((char) c)))
              .isTrue();
          if (!tokenizer.decoded(ids).contains("\ufffd")) {
            assertThat(piece).doesNotContain("\ufffd");
          }
        }
      }
    }
  }

  private TextTokenizer open(String form) throws IOException {
    JsonNode tokenizer = TextTokenizerTest.cases().path(form).path("tokenizer");
    Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toString());
    return TextTokenizer.open(folder);
  }

  @Test
  void aCharacterOfSeveralTokensComesWithItsLast() throws IOException {
    try (TextTokenizer tokenizer = open("gpt2")) {
      long[] tokens = tokenizer.tokens("a\u732b\ud83d\ude00b", false);
      assertThat(pieces(tokenizer, tokens).stream().filter(piece -> !piece.isEmpty()))
          .containsExactly("a", "\u732b", "\ud83d\ude00", "b");
    }
  }

  /** A byte that fits no other makes all bytes around it unreadable, so they wait for their end. */
  @Test
  void bytesThatStandForThemselvesComeWhenTheirRunHasEnded() throws IOException {
    try (TextTokenizer tokenizer = open("llama2")) {
      long[] tokens = tokenizer.tokens("a\u732b\ud83d\ude00 a", false);
      List<String> pieces = pieces(tokenizer, tokens);
      assertThat(String.join("", pieces)).isEqualTo("a\u732b\ud83d\ude00 a");
      assertThat(pieces.get(pieces.size() - 1)).isEmpty();
      assertThat(pieces)
          .doesNotContain("\u732b")
          .anyMatch(piece -> piece.contains("\u732b\ud83d\ude00"));
    }
  }

  /** However long a text is, a token costs the same. */
  @Test
  void aLongAnswerIsNotDecodedAgainAndAgain() throws IOException {
    try (TextTokenizer tokenizer = open("gpt2")) {
      long[] tokens = tokenizer.tokens("it is a cat. ".repeat(4_000), false);
      IncrementalText text = tokenizer.incremental();
      StringBuilder joined = new StringBuilder();
      long start = System.nanoTime();
      for (long token : tokens) {
        joined.append(text.add(token));
      }
      joined.append(text.end());
      assertThat((System.nanoTime() - start) / tokens.length).isLessThan(1_000_000);
      assertThat(joined.toString()).isEqualTo("it is a cat. ".repeat(4_000));
    }
  }
}
