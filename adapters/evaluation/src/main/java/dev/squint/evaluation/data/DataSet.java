package dev.squint.evaluation.data;

import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * Questions with their right answers, as read.
 *
 * @param name what to call it: the folder's or file's name
 * @param format the format that was detected, such as {@code easy-VQA}
 * @param task what is asked for
 * @param samples the usable records, in the order of the file
 * @param skipped the records that were not usable, each with a sentence why
 * @param hash SHA-256 over questions, answers and the names of images, in hexadecimal
 */
public record DataSet(
    String name,
    String format,
    Task task,
    List<Sample> samples,
    List<SkippedRecord> skipped,
    String hash) {

  /**
   * A record that cannot be used.
   *
   * @param record which one: its id, or its line or place in the file
   * @param reason one sentence
   */
  public record SkippedRecord(String record, String reason) {}

  /** Copies the lists. */
  public DataSet {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(format, "format");
    Objects.requireNonNull(task, "task");
    samples = List.copyOf(samples);
    skipped = List.copyOf(skipped);
    Objects.requireNonNull(hash, "hash");
  }

  /** Says how many records cannot be used and why the first cannot; for where there are some. */
  public String skippedInWords() {
    return String.format(
        Locale.ROOT,
        "%,d records that cannot be used (the first: %s: %s)",
        skipped.size(),
        skipped.get(0).record(),
        skipped.get(0).reason());
  }
}
