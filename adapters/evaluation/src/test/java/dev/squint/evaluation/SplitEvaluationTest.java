package dev.squint.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.Squint;
import dev.squint.engine.options.ModelOptions;
import dev.squint.evaluation.compare.Comparison;
import dev.squint.evaluation.data.DataSet;
import dev.squint.evaluation.data.DataSets;
import dev.squint.evaluation.data.Sample;
import dev.squint.evaluation.report.Summary;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Answers the questions of a split and writes the report to {@code target/evaluation-NAME}: {@code
 * mvn -Pevaluation test -Dsquint.evaluation.data=FOLDER}, a question set of any format that is
 * read. {@code -Dsquint.evaluation.limit} asks its first questions only, {@code
 * -Dsquint.evaluation.strategies} names other strategies, separated by semicolons.
 */
@Tag("evaluation")
class SplitEvaluationTest {

  @Test
  void countsTheRightAnswers() {
    DataSet data = DataSets.read(Path.of(System.getProperty("squint.evaluation.data")));
    int limit = Integer.getInteger("squint.evaluation.limit", Integer.MAX_VALUE);
    List<Sample> first = data.samples().stream().limit(limit).toList();
    String[] specs =
        System.getProperty("squint.evaluation.strategies", "fastv:k=2; fastervlm").split(";");
    ModelOptions options = ModelOptions.builder().maxCachedSplits(specs.length + 4).build();
    try (Squint squint = Squint.load(options)) {
      Summary summary =
          Comparison.of(
                  new DataSet(
                      data.name(), data.format(), data.task(), first, data.skipped(), data.hash()))
              .model(squint, options)
              .specs(specs)
              .keep(0.5, 0.1)
              .seeds(1)
              .maxNewTokens(8)
              .output(Path.of("target", "evaluation-" + data.name().replaceAll("\\W", "-")))
              .build()
              .run()
              .orElseThrow();
      assertThat(summary.run().questions()).isEqualTo(first.size());
      assertThat(summary.configs()).allMatch(config -> config.errors() == 0);
    }
  }
}
