package dev.squint.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.PreparedImage;
import dev.squint.Squint;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.evaluation.data.MediaSource;
import dev.squint.evaluation.data.Sample;
import dev.squint.evaluation.data.SampleData;
import dev.squint.fixtures.Share;
import dev.squint.image.ImageInput;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/**
 * What people see in an image is what the embedded model says of it: image processing, chat
 * template, tokenizer, weights, pruning and decoding as a whole.
 */
class RightAnswersTest {

  private static Squint squint;

  @BeforeAll
  static void load() {
    squint = Squint.load();
  }

  @AfterAll
  static void close() {
    squint.close();
  }

  /**
   * Of the 240 questions of the sample, unpruned, in the decoder, after the vision encoder, and
   * merging; a fourth of them, all with {@code -Pfull}. The counts are those of the run that set
   * them, less three for processors that round otherwise; of a fourth, a fourth of them less two.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          none               | 1 | 219 | 52
          fastv:k=2,keep=0.5 | 2 | 108 | 25
          fastervlm:keep=0.5 | 2 | 103 | 23
          tome:keep=0.5      | 2 | 104 | 24
          """)
  void sampleQuestionsAreAnsweredRight(String spec, int of, int leastOfAll, int leastOfFourth) {
    Strategy strategy = Strategies.parse(spec);
    int every = Share.isWhole() ? of : 4 * of;
    int least = Share.isWhole() ? leastOfAll : leastOfFourth;
    List<String> wrong = new ArrayList<>();
    int right = 0;
    try (SampleData data = SampleData.open()) {
      List<Sample> samples = data.read().samples();
      assertThat(samples).hasSize(240);
      for (int i = 0; i < samples.size(); i += every) {
        Sample sample = samples.get(i);
        Path image = ((MediaSource.ImageFile) sample.medium()).file();
        String said;
        try (PreparedImage seen = squint.prepare(ImageInput.of(image))) {
          said = squint.ask(seen, sample.question(), strategy, GenerationOptions.defaults()).text();
        }
        if (sample.answers().contains(said)) {
          right++;
        } else {
          wrong.add("%s %s said %s".formatted(sample.id(), sample.question(), said));
        }
      }
    }
    assertThat(right)
        .as("right answers; wrong are %s", wrong.stream().limit(10).toList())
        .isGreaterThanOrEqualTo(least);
  }

  static Stream<Arguments> scenes() {
    return Share.of(
        List.of(
            Arguments.of(
                "scene-01", "none", "what color is the circle left of the square?", "orange"),
            Arguments.of(
                "scene-01",
                "fastv:k=2,keep=0.5",
                "what color is the circle left of the square?",
                "orange"),
            Arguments.of("scene-01", "none", "what color is the square?", "orange"),
            Arguments.of("scene-01", "tome:keep=0.5", "what color is the square?", "orange"),
            Arguments.of("scene-02", "none", "how many circles are there?", "2"),
            Arguments.of("scene-02", "fastervlm:keep=0.5", "what color is the square?", "green"),
            Arguments.of("scene-03", "none", "how many triangles are there?", "3"),
            Arguments.of("scene-03", "fastv:k=2,keep=0.5", "what color is the square?", "yellow"),
            Arguments.of("scene-04", "none", "what color is the square?", "purple"),
            Arguments.of("scene-05", "none", "what color is the square?", "yellow"),
            Arguments.of("scene-06", "none", "how many triangles are there?", "1"),
            Arguments.of("scene-06", "fastv:k=2,keep=0.5", "how many triangles are there?", "1")),
        1,
        3);
  }

  /** A third of them, with {@code -Pfull} all. */
  @ParameterizedTest
  @MethodSource("scenes")
  void theCommandSaysWhatTheImageShows(String scene, String spec, String question, String seen) {
    String image = Path.of("").toAbsolutePath().resolve("../images/" + scene + ".png").toString();
    StringWriter out = new StringWriter();
    CommandLine line = SquintCommand.commandLine().setOut(new PrintWriter(out));
    assertThat(line.execute("ask", image, question, "--strategy", spec)).isZero();
    assertThat(out.toString().lines().findFirst()).contains(seen);
  }
}
