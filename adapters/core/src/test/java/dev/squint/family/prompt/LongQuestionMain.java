package dev.squint.family.prompt;

import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.options.ModelOptions;
import dev.squint.family.PromptException;
import dev.squint.family.PromptImage;
import dev.squint.onnx.config.ModelConfig;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Puts long questions in a small heap, and says of each how it ended and what it cost. */
public final class LongQuestionMain {

  public static final List<String> WORDS =
      List.of(
          "a",
          "what is it? ",
          "\uD83D\uDE00",
          "o\u0301\u0323",
          "<image>",
          "\uD800x",
          "\u0001z",
          "\u3000\u4e00");
  public static final List<String> SPACES = List.of(" ", "\n\t");

  private LongQuestionMain() {}

  /**
   * Runs.
   *
   * @param args the cache folder, how many characters, and whether these are spaces
   */
  public static void main(String[] args) throws IOException {
    ModelOptions options = ModelOptions.builder().cacheFolder(Path.of(args[0])).build();
    try (VisionLanguageModel model = VisionLanguageModel.openEmbedded(options)) {
      ModelConfig config = model.config();
      int grid = config.vision().grid();
      try (ChatPrompts prompts = ChatPrompts.open(PromptFiles.of(model), config)) {
        PromptImage image = PromptImages.grid(prompts, grid, grid);
        prompts.prompt("what?", image);
        // Not by the clock, which other processes hold up.
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        for (String unit : Boolean.parseBoolean(args[2]) ? SPACES : WORDS) {
          String question = unit.repeat(Integer.parseInt(args[1]) / unit.length());
          long before = peak();
          long start = threads.getCurrentThreadCpuTime();
          String end;
          try {
            end = prompts.prompt(question, image).tokenIds().length + " tokens";
          } catch (PromptException e) {
            end = e.getMessage();
          }
          System.out.printf(
              "%d\t%d\t%s%n",
              (threads.getCurrentThreadCpuTime() - start) / 1_000_000, peak() - before, end);
        }
      }
    }
  }

  /** Most resident memory so far in kB, 0 where the system does not tell. */
  private static long peak() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return 0;
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElse(0);
  }
}
