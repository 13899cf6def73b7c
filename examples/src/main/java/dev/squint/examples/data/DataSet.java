package dev.squint.examples.data;

import java.util.List;
import java.util.Objects;

/**
 * Questions with their right answers, as read.
 *
 * @param name what to call it: the folder's or file's name
 * @param format the format that was detected, such as {@code easy-VQA}
 * @param task what is asked for
 * @param samples the usable records, in the order of the file
 * @param defects the records that were not usable, each with a sentence why
 * @param hash SHA-256 over questions, answers and the names of pictures, in hexadecimal
 */
public record DataSet(
    String name,
    String format,
    Task task,
    List<Sample> samples,
    List<Defect> defects,
    String hash) {

  /**
   * A record that cannot be used.
   *
   * @param record which one: its id, or its line or place in the file
   * @param reason one sentence
   */
  public record Defect(String record, String reason) {}

  /** Copies the lists. */
  public DataSet {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(format, "format");
    Objects.requireNonNull(task, "task");
    samples = List.copyOf(samples);
    defects = List.copyOf(defects);
    Objects.requireNonNull(hash, "hash");
  }
}
