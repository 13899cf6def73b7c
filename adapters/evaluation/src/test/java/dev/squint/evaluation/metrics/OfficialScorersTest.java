package dev.squint.evaluation.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Against what the official scorers say, as {@code models/fixtures/make_metrics.py} recorded it.
 */
class OfficialScorersTest {

  private static final double EXACT = 1e-9;
  private static JsonNode reference;

  @BeforeAll
  static void read() throws IOException {
    reference =
        new ObjectMapper()
            .readTree(OfficialScorersTest.class.getResourceAsStream("reference.json"));
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(node -> texts.add(node.textValue()));
    return texts;
  }

  @Test
  void vqaAccuracyIsTheOfficialOne() {
    VqaAccuracy metric = new VqaAccuracy();
    assertThat(reference.path("vqa")).hasSizeGreaterThan(100);
    for (JsonNode example : reference.path("vqa")) {
      String said = example.path("said").textValue();
      assertThat(metric.filter(said, List.of()))
          .as("normalised: %s", said)
          .isEqualTo(example.path("normalised").textValue());
      assertThat(metric.score(said, texts(example.path("answers")), List.of()))
          .as("%s", example)
          .isCloseTo(example.path("score").doubleValue(), within(EXACT));
    }
  }

  @Test
  void yesAndNoAreFoundAsPopeFindsThem() {
    YesNo metric = new YesNo();
    JsonNode pope = reference.path("pope");
    YesNoCounts counts = YesNoCounts.none();
    for (int i = 0; i < pope.path("said").size(); i++) {
      String said = pope.path("said").get(i).textValue();
      String label = pope.path("labels").get(i).textValue();
      String found = metric.filter(said, List.of());
      assertThat(found).as(said).isEqualTo(pope.path("found").get(i).textValue());
      boolean right = metric.score(said, List.of(label), List.of()) == 1;
      assertThat(right).isEqualTo(found.equals(label));
      counts = counts.with(found.equals("yes"), right);
    }
    assertThat(counts.accuracy()).isCloseTo(pope.path("accuracy").doubleValue(), within(EXACT));
    assertThat(counts.precision()).isCloseTo(pope.path("precision").doubleValue(), within(EXACT));
    assertThat(counts.recall()).isCloseTo(pope.path("recall").doubleValue(), within(EXACT));
    assertThat(counts.f1()).isCloseTo(pope.path("f1").doubleValue(), within(EXACT));
    assertThat(counts.yesRatio()).isCloseTo(pope.path("yesRatio").doubleValue(), within(EXACT));
  }

  @Test
  void anlsIsThatOfLmmsEval() {
    for (JsonNode example : reference.path("anls")) {
      assertThat(
              new Anls()
                  .score(
                      example.path("said").textValue(), texts(example.path("answers")), List.of()))
          .as("%s", example)
          .isCloseTo(example.path("score").doubleValue(), within(EXACT));
    }
  }

  @Test
  void lettersAreFoundWhereLmmsEvalFindsThem() {
    for (JsonNode example : reference.path("science")) {
      assertThat(
              new MultipleChoice()
                  .score(
                      example.path("said").textValue(),
                      List.of(example.path("answer").textValue()),
                      texts(example.path("choices"))))
          .as("%s", example)
          .isEqualTo(example.path("score").doubleValue());
    }
  }

  @Test
  void captionsAreSplitAsCocosTokenizerDoes() {
    JsonNode examples = reference.path("punctuated").path("words");
    assertThat(examples).hasSizeGreaterThan(80);
    for (JsonNode example : examples) {
      assertThat(CaptionWords.of(example.path("caption").textValue()))
          .as("%s", example.path("caption"))
          .isEqualTo(texts(example.path("words")));
    }
  }

  @Test
  void captionsWithPunctuationScoreAsWithCoco() {
    JsonNode captions = reference.path("punctuated");
    List<List<String>> targets = new ArrayList<>();
    captions.path("answers").forEach(answers -> targets.add(texts(answers)));
    Cider cider = Cider.over(targets);
    for (int i = 0; i < targets.size(); i++) {
      String said = captions.path("said").get(i).textValue();
      assertThat(cider.score(said, targets.get(i), List.of()))
          .as(said)
          .isCloseTo(captions.path("cider").get(i).doubleValue(), within(EXACT));
      assertThat(new RougeL().score(said, targets.get(i), List.of()))
          .as(said)
          .isCloseTo(captions.path("rougeL").get(i).doubleValue(), within(EXACT));
    }
  }

  @Test
  void captionScoresAreThoseOfCoco() {
    JsonNode captions = reference.path("captions");
    List<List<String>> targets = new ArrayList<>();
    captions.path("answers").forEach(answers -> targets.add(texts(answers)));
    Cider cider = Cider.over(targets);
    double sum = 0;
    for (int i = 0; i < targets.size(); i++) {
      String said = captions.path("said").get(i).textValue();
      double score = cider.score(said, targets.get(i), List.of());
      assertThat(score).isCloseTo(captions.path("cider").get(i).doubleValue(), within(EXACT));
      assertThat(new RougeL().score(said, targets.get(i), List.of()))
          .isCloseTo(captions.path("rougeL").get(i).doubleValue(), within(EXACT));
      sum += score;
    }
    assertThat(sum / targets.size())
        .isCloseTo(captions.path("ciderMean").doubleValue(), within(EXACT));
  }

  @Test
  void probabilitiesAndIntervalsAreExact() {
    for (JsonNode example : reference.path("mcnemar")) {
      assertThat(McNemar.exact(example.path("b").intValue(), example.path("c").intValue()))
          .as("%s", example)
          .isCloseTo(example.path("p").doubleValue(), within(EXACT));
    }
    for (JsonNode example : reference.path("wilson")) {
      Interval interval =
          Wilson.of(example.path("successes").intValue(), example.path("total").intValue());
      assertThat(interval.low())
          .isCloseTo(example.path("ends").get(0).doubleValue(), within(EXACT));
      assertThat(interval.high())
          .isCloseTo(example.path("ends").get(1).doubleValue(), within(EXACT));
    }
  }
}
