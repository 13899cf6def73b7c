package dev.squint.pruning.schedules;

import dev.squint.error.StrategyException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;

/**
 * Layers and the share of visual tokens that runs from each of them on, as a search found them: a
 * text file with one line {@code layer share} per site, ascending, and comments after {@code #}.
 *
 * @param layers the first layers that run pruned, ascending from 1
 * @param shares for each the share of the tokens that entered the decoder, above 0 and at most 1
 */
public record ScheduleFile(List<Integer> layers, List<Double> shares) {

  private static final int LARGEST = 1 << 20;
  private static final String MEND = "write lines such as '4 0.5'";

  public ScheduleFile {
    layers = List.copyOf(layers);
    shares = List.copyOf(shares);
  }

  /**
   * Reads a file.
   *
   * @param path where it lies
   * @return its content
   * @throws StrategyException if it cannot be read or a line is not of this form
   */
  public static ScheduleFile read(String path) {
    List<String> lines = lines(path);
    List<Integer> layers = new ArrayList<>();
    List<Double> shares = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      String text = lines.get(i).replaceAll("#.*", "").strip();
      if (!text.isEmpty()) {
        add(path, i + 1, text.split("\\s+"), layers, shares);
      }
    }
    if (layers.isEmpty()) {
      throw new StrategyException(
          "the schedule file '%s' names no layer; %s".formatted(path, MEND));
    }
    return new ScheduleFile(layers, shares);
  }

  private static List<String> lines(String path) {
    try {
      Path file = Path.of(path);
      BasicFileAttributes facts = Files.readAttributes(file, BasicFileAttributes.class);
      if (!facts.isRegularFile() || facts.size() > LARGEST) {
        throw new StrategyException(
            "the schedule file '%s' is no text file of up to %,d bytes; make one with 'squint search'"
                .formatted(path, LARGEST));
      }
      return Files.readAllLines(file);
    } catch (IOException | InvalidPathException e) {
      throw new StrategyException(
          "the schedule file '%s' cannot be read: %s; make one with 'squint search'"
              .formatted(path, e.getMessage()));
    }
  }

  private static void add(
      String path, int line, String[] words, List<Integer> layers, List<Double> shares) {
    try {
      int layer = Integer.parseInt(words[0]);
      double share = Double.parseDouble(words[1]);
      int previous = layers.isEmpty() ? 0 : layers.get(layers.size() - 1);
      if (words.length == 2 && layer > previous && share > 0 && share <= 1) {
        layers.add(layer);
        shares.add(share);
        return;
      }
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      throw malformed(path, line);
    }
    throw malformed(path, line);
  }

  private static StrategyException malformed(String path, int line) {
    return new StrategyException(
        "the schedule file '%s' has no layer and share in line %d, or they are out of order; %s"
            .formatted(path, line, MEND));
  }

  /**
   * Writes the lines of a file.
   *
   * @return one line per site
   */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      lines.add(layers.get(i) + " " + shares.get(i));
    }
    return lines;
  }
}
