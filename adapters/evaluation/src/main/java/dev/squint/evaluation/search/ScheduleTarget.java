package dev.squint.evaluation.search;

import dev.squint.error.StrategyException;
import dev.squint.onnx.internal.io.AtomicFiles;
import dev.squint.onnx.internal.io.FileFailure;
import dev.squint.pruning.schedules.ScheduleFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The file a schedule goes to: checked before the search, written whole or not at all.
 *
 * @param file where to
 */
public record ScheduleTarget(Path file) {

  private static final Pattern UNSPEAKABLE = Pattern.compile(",|\\+\\s*\\p{Alpha}|\\R");

  /** More than any schedule has, so that a file of another kind is not read to its end. */
  private static final long MOST_BYTES = 1 << 20;

  /**
   * Checks that a schedule can be written there.
   *
   * @throws StrategyException if it cannot
   */
  public ScheduleTarget {
    if (UNSPEAKABLE.matcher(file.toString()).find()) {
      throw refused(file, "a strategy's spec cannot hold its ',' or '+'; name another file");
    }
    if (file.toString().isBlank() || Files.isDirectory(file)) {
      throw refused(file, "that is no file; name one");
    }
    if (Files.exists(file) && !isSchedule(file)) {
      throw refused(file, "it holds something else than a schedule; name another file");
    }
    AtomicFiles.obstacle(file)
        .ifPresent(
            reason -> {
              throw refused(file, reason);
            });
  }

  /** Whether a file is what a search has written, or empty: only that is replaced. */
  private static boolean isSchedule(Path file) {
    try {
      if (!Files.isRegularFile(file) || Files.size(file) > MOST_BYTES) {
        return false;
      }
      return Files.size(file) == 0 || !ScheduleFile.read(file.toString()).layers().isEmpty();
    } catch (IOException | StrategyException e) {
      return false;
    }
  }

  /**
   * Writes comments and schedule.
   *
   * @param comments lines above it, without their signs
   * @param schedule the schedule
   */
  public void write(List<String> comments, ScheduleFile schedule) {
    List<String> lines = new ArrayList<>();
    comments.forEach(comment -> lines.add("# " + comment.replaceAll("\\R", " ")));
    lines.addAll(schedule.lines());
    try {
      AtomicFiles.replace(file, (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw refused(file, FileFailure.reason(e) + "; choose another folder");
    }
  }

  private static StrategyException refused(Path file, String reason) {
    return new StrategyException("cannot write the schedule '%s': %s".formatted(file, reason));
  }
}
