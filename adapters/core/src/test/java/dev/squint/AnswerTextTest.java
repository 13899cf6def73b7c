package dev.squint;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.tokenizer.TextTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where answers end, over a byte-level tokenizer whose tokens are one or several letters. */
class AnswerTextTest {

  @TempDir static Path folder;

  private static TextTokenizer tokenizer;

  @BeforeAll
  static void open() throws IOException {
    JsonNode forms =
        new ObjectMapper()
            .readTree(
                AnswerTextTest.class.getResourceAsStream("tokenizer/tokenizers/tokenizers.json"));
    Files.writeString(
        folder.resolve("tokenizer.json"), forms.path("gpt2").path("tokenizer").toString());
    tokenizer = TextTokenizer.open(folder);
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  /**
   * An answer as it came.
   *
   * @param pieces what was given
   * @param text what it ended with
   * @param tokens how many tokens were wanted
   * @param stopped whether a stop string ended it
   */
  private record Said(List<String> pieces, String text, int tokens, boolean stopped) {}

  private static Said said(String text, String... stops) {
    List<String> pieces = new ArrayList<>();
    AnswerText answer = new AnswerText(tokenizer.incremental(), List.of(stops), pieces::add);
    int taken = 0;
    for (long token : tokenizer.tokens(text, false)) {
      taken++;
      if (!answer.onToken(token)) {
        break;
      }
    }
    String end = answer.end();
    return new Said(pieces, end, taken, answer.isStopped());
  }

  /** The first stop string that is complete, the longest of those that end there. */
  private static String upToTheFirst(String text, String... stops) {
    int begin = text.length();
    int end = Integer.MAX_VALUE;
    for (String stop : stops) {
      int at = text.indexOf(stop);
      if (at >= 0 && (at + stop.length() < end || at + stop.length() == end && at < begin)) {
        begin = at;
        end = at + stop.length();
      }
    }
    return text.substring(0, begin).strip();
  }

  @Test
  void itEndsBeforeAStopStringOverTokenBorders() {
    Said said = said("a cat sits. USER: and?", "USER:");
    assertThat(said.text()).isEqualTo("a cat sits.");
    assertThat(said.stopped()).isTrue();
    assertThat(String.join("", said.pieces())).isEqualTo(said.text());
    assertThat(said.tokens()).isEqualTo(tokenizer.tokens("a cat sits. USER:", false).length);
  }

  @Test
  void itEndsInTheMiddleOfAToken() {
    long[] tokens = tokenizer.tokens(" the", false);
    assertThat(tokens.length).isLessThan(4);
    assertThat(said("a the", "h").text()).isEqualTo("a t");
    assertThat(said("a the", "h").stopped()).isTrue();
  }

  @Test
  void whatOnlyLookedLikeAStopStringIsSaid() {
    Said said = said("see USE and US", "USER");
    assertThat(said.text()).isEqualTo("see USE and US");
    assertThat(said.stopped()).isFalse();
    for (String piece : said.pieces().subList(0, said.pieces().size() - 1)) {
      assertThat(piece).doesNotEndWith("U").doesNotEndWith("US").doesNotEndWith("USE");
    }
  }

  @Test
  void spacesAroundItAreNotSaid() {
    Said said = said(" \n a  b \n ");
    assertThat(said.text()).isEqualTo("a  b");
    assertThat(String.join("", said.pieces())).isEqualTo("a  b");
    assertThat(said("a\n\nb", "\n").text()).isEqualTo("a");
    assertThat(said("\nb", "\n").text()).isEmpty();
  }

  @Test
  void characterOfSeveralTokensIsAStopString() {
    Said said = said("a \ud83d\ude00 b", "\ud83d\ude00");
    assertThat(said.text()).isEqualTo("a");
    assertThat(said.stopped()).isTrue();
    assertThat(said("a \ud83d\ude01 b", "\ud83d\ude00").text()).isEqualTo("a \ud83d\ude01 b");
  }

  @Test
  void whereItEndsDoesNotDependOnHowItWasCutIntoTokens() {
    Random random = new Random(1);
    for (int i = 0; i < 2_000; i++) {
      String text = letters(random, 1 + random.nextInt(20));
      String[] stops = new String[random.nextInt(4)];
      for (int k = 0; k < stops.length; k++) {
        stops[k] = letters(random, 1 + random.nextInt(4));
      }
      Said said = said(text, stops);
      assertThat(said.text())
          .as("'%s' up to %s", text, List.of(stops))
          .isEqualTo(upToTheFirst(text, stops));
      assertThat(String.join("", said.pieces())).isEqualTo(said.text());
      assertThat(said.pieces()).doesNotContain("");
    }
  }

  private static String letters(Random random, int length) {
    StringBuilder letters = new StringBuilder();
    for (int i = 0; i < length; i++) {
      letters.appendCodePoint("ab e\u00e9\n\ud83d\ude00".codePoints().toArray()[random.nextInt(7)]);
    }
    return letters.toString();
  }
}
