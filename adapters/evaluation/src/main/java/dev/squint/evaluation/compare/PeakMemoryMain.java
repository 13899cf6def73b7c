package dev.squint.evaluation.compare;

import dev.squint.PreparedImage;
import dev.squint.Squint;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.image.ImageInput;
import dev.squint.pruning.Strategies;
import java.nio.file.Path;

/**
 * The process that {@link PeakMemoryProbe} starts: loads the model, answers one question with one
 * setting and prints the most memory that it held, in bytes.
 */
final class PeakMemoryMain {

  private PeakMemoryMain() {}

  /**
   * AccuracyPass.
   *
   * @param args model folder, cache folder, provider, threads, longest answer, strategy, rows and
   *     columns of visual tokens (0 for the model's own), image, question, precision
   */
  public static void main(String[] args) {
    ModelOptions options =
        ModelOptions.builder()
            .provider(ExecutionProvider.parse(args[2]))
            .threads(Integer.parseInt(args[3]))
            .cacheFolder(Path.of(args[1]))
            .precision(args[10])
            .build();
    int rows = Integer.parseInt(args[6]);
    int columns = Integer.parseInt(args[7]);
    ImageInput image = ImageInput.of(Path.of(args[8]));
    try (Squint squint = Squint.load(Path.of(args[0]), options);
        PreparedImage seen =
            rows == 0 ? squint.prepare(image) : squint.prepare(image, rows, columns)) {
      GenerationOptions ask =
          GenerationOptions.builder().maxNewTokens(Integer.parseInt(args[4])).build();
      squint.ask(seen, args[9], Strategies.parse(args[5]), ask);
      System.out.println(ResidentMemory.ofThisProcess().peak().orElseThrow());
    }
  }
}
