package dev.squint.evaluation.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.squint.DataException;
import dev.squint.evaluation.data.DataSet;
import dev.squint.evaluation.data.MediaSource;
import dev.squint.evaluation.data.Sample;
import dev.squint.evaluation.data.Task;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class MetricsTest {

  private static final List<String> COLORS = List.of("red", "dark red", "blue");

  private static DataSet data(Task task) {
    return data(task, "yes");
  }

  private static DataSet data(Task task, String answer) {
    Sample sample =
        new Sample(
            "0",
            new MediaSource.ImageFile(Path.of("0.png")),
            "what?",
            List.of(answer),
            List.of(),
            "");
    return new DataSet("data", "test", task, List.of(sample), List.of(), "");
  }

  @Test
  void everyTaskHasItsUsualMetric() {
    assertThat(MetricSet.of(data(Task.SHORT_ANSWER), Optional.empty()).plotted().name())
        .isEqualTo("exact_match");
    assertThat(MetricSet.of(data(Task.VQA), Optional.empty()).plotted().name())
        .isEqualTo("vqa_accuracy");
    assertThat(MetricSet.of(data(Task.YES_NO), Optional.empty()).plotted().name())
        .isEqualTo("pope_accuracy");
    assertThat(MetricSet.of(data(Task.MULTIPLE_CHOICE), Optional.empty()).plotted().name())
        .isEqualTo("multiple_choice");
    assertThat(MetricSet.of(data(Task.CAPTION), Optional.empty()).all())
        .extracting(Metric::name)
        .containsExactly("cider", "rouge_l");
  }

  @Test
  void anotherMetricMayBePlotted() {
    assertThat(MetricSet.of(data(Task.VQA), Optional.of("anls")).all())
        .extracting(Metric::name)
        .containsExactly("anls", "vqa_accuracy");
    assertThatThrownBy(() -> MetricSet.of(data(Task.VQA), Optional.of("multiple_choice")))
        .hasMessageContaining("needs choices");
    assertThat(MetricSet.of(data(Task.VQA), Optional.of("pope_accuracy")).countsYesAndNo())
        .isTrue();
    assertThatThrownBy(
            () -> MetricSet.of(data(Task.SHORT_ANSWER, "red"), Optional.of("pope_accuracy")))
        .hasMessageContaining("needs answers that are yes or no");
    assertThatThrownBy(() -> MetricSet.of(data(Task.VQA), Optional.of("bleu")))
        .isInstanceOf(DataException.class)
        .hasMessage(
            "there is no metric 'bleu'; choose one of anls, cider, exact_match, multiple_choice,"
                + " pope_accuracy, rouge_l, vqa_accuracy");
  }

  @Test
  void exactMatchPassesOverCaseArticlesAndNumberWords() {
    ExactMatch metric = new ExactMatch();
    assertThat(metric.score("A Red.", List.of("red"), List.of())).isOne();
    assertThat(metric.score("two", List.of("2"), List.of())).isOne();
    assertThat(metric.score("2", List.of("two"), List.of())).isOne();
    assertThat(metric.score("3", List.of("2"), List.of())).isZero();
    assertThat(metric.score("", List.of("2"), List.of())).isZero();
  }

  @Test
  void threeOfTenAnnotatorsMakeAnAnswerRight() {
    VqaAccuracy metric = new VqaAccuracy();
    List<String> two =
        List.of("red", "red", "blue", "blue", "blue", "blue", "blue", "blue", "blue", "blue");
    // Eight leave both in (2/3 each), two leave one out (1/3 each).
    assertThat(metric.score("red", two, List.of()))
        .isCloseTo((8 * 2.0 / 3 + 2 * 1.0 / 3) / 10, within(1e-12));
    assertThat(metric.score("blue", two, List.of())).isOne();
    assertThat(metric.score("red", List.of("red"), List.of())).isOne();
    assertThat(metric.score("red", List.of("blue"), List.of())).isZero();
  }

  @Test
  void aChoiceIsFoundByLetterOrText() {
    MultipleChoice metric = new MultipleChoice();
    assertThat(metric.filter("(B)", COLORS)).isEqualTo("B");
    assertThat(metric.filter("The answer is C.", COLORS)).isEqualTo("C");
    assertThat(metric.filter("blue", COLORS)).isEqualTo("C");
    assertThat(metric.filter("it is blue", COLORS)).isEqualTo("C");
    assertThat(metric.filter("2", List.of("1", "2", "3"))).isEqualTo("B");
    assertThat(metric.filter("b", List.of("1", "2", "3"))).isEqualTo("B");
    assertThat(metric.filter("7", List.of("1", "2", "3"))).isEmpty();
    assertThat(metric.filter("dark red", COLORS)).isEqualTo("B");
    assertThat(metric.filter("A blue one", COLORS)).isEqualTo("C");
    assertThat(metric.filter("red or blue", COLORS)).isEmpty();
    assertThat(metric.filter("E", COLORS)).isEmpty();
    assertThat(metric.filter("", COLORS)).isEmpty();
  }

  @Test
  void captionsAreSplitAsTheTreebankDoes() {
    assertThat(CaptionWords.of("A man's dog doesn't sit, on the t-shirt."))
        .containsExactly("a", "man", "'s", "dog", "does", "n't", "sit", "on", "the", "t-shirt");
    assertThat(CaptionWords.of("1,000 birds...and 2.5 cats!"))
        .containsExactly("1,000", "birds", "and", "2.5", "cats");
  }

  @Test
  void aPerfectCaptionScoresTen() {
    List<List<String>> targets =
        List.of(List.of("a red dog on a street"), List.of("two blue cats in the house"));
    Cider cider = Cider.over(targets);
    assertThat(cider.score("A red dog on a street.", targets.get(0), List.of()))
        .isCloseTo(10, within(1e-9));
    assertThat(cider.score("two blue cats in the house", targets.get(0), List.of())).isZero();
    assertThat(new RougeL().score("a dog", List.of("a red dog"), List.of()))
        .isCloseTo((1 + 1.44) * 1 * (2.0 / 3) / (2.0 / 3 + 1.44), within(1e-12));
  }

  @Test
  void bootstrapDependsOnTheSeedAlone() {
    double[] scores = {0.3, 0.6, 1, 0, 0.3, 0.9, 1, 1};
    Interval interval = Bootstrap.ofMean(scores, 7);
    assertThat(Bootstrap.ofMean(scores, 7)).isEqualTo(interval);
    assertThat(Bootstrap.ofMean(scores, 8)).isNotEqualTo(interval);
    assertThat(interval.low()).isBetween(0.2, 0.6375);
    assertThat(interval.high()).isBetween(0.6375, 1.0);
    assertThat(new Intervals(true, 7).ofMean(scores)).isEqualTo(interval);
    assertThat(new Intervals(true, 7).ofMean(new double[] {1, 0, 1})).isEqualTo(Wilson.of(2, 3));
    assertThat(new Intervals(false, 7).ofMean(new double[] {1, 0, 1}))
        .as("captions are not right or wrong")
        .isEqualTo(Bootstrap.ofMean(new double[] {1, 0, 1}, 7));
    assertThat(Wilson.of(0, 6).low()).isZero();
    assertThat(Wilson.of(6, 6).high()).isEqualTo(1);
  }

  @Property
  void wilsonHoldsTheShare(
      @ForAll @IntRange(min = 1, max = 5000) int total, @ForAll @IntRange(max = 5000) int drawn) {
    int successes = drawn % (total + 1);
    Interval interval = Wilson.of(successes, total);
    double share = (double) successes / total;
    assertThat(interval.low()).isBetween(0.0, share + 1e-12);
    assertThat(interval.high()).isBetween(share - 1e-12, 1.0);
  }

  @Property
  void mcNemarIsSymmetric(
      @ForAll @IntRange(max = 12_000) int first, @ForAll @IntRange(max = 12_000) int second) {
    double p = McNemar.exact(first, second);
    assertThat(p).isBetween(0.0, 1.0).isEqualTo(McNemar.exact(second, first));
    assertThat(McNemar.exact(first, first)).isEqualTo(1.0);
  }
}
