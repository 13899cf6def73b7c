package dev.squint.evaluation;

import dev.squint.evaluation.compare.Comparison;
import dev.squint.evaluation.data.DataSets;
import dev.squint.evaluation.data.MediaSource;
import dev.squint.evaluation.data.Sample;
import dev.squint.evaluation.report.Summary;
import java.nio.file.Path;
import java.util.Optional;

/** A service of one's own, evaluated. {@code docs/compare.md} shows this program. */
final class OwnServiceExample {

  private OwnServiceExample() {}

  public static void main(String[] arguments) {
    Answerer service = request -> Answerer.Reply.of(ask(request.sample()));
    Optional<Summary> summary =
        Comparison.of(DataSets.read(Path.of(arguments[0])))
            .service("shop assistant", "1.3", service)
            .workers(4)
            .output(Path.of(arguments[1]))
            .build()
            .run();
    summary.ifPresent(
        found -> System.out.println(found.configs().get(0).scores().get(found.run().metric())));
  }

  /** Asks the service, over HTTP perhaps. What it throws fails this question only. */
  private static String ask(Sample sample) {
    Path image = ((MediaSource.ImageFile) sample.medium()).file();
    return sample.question().startsWith("how many") ? "2" : image.getFileName().toString();
  }
}
