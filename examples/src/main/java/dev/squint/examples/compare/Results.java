package dev.squint.examples.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.examples.data.DataSet;
import dev.squint.examples.data.Sample;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What each cell made of each question: {@code results.jsonl} and, in memory, what the summary
 * needs of it. Lines of cells that are not asked for now stay in the file. Questions that failed
 * are asked again when the comparison is started again; the last line about a question counts.
 * Thread-safe.
 */
final class Results implements AutoCloseable {

  private final List<Sample> samples;
  private final String[] hashes;
  private final ResultLine lines;
  private final Map<String, Entry[]> entries = new LinkedHashMap<>();
  private final Map<Entry, Entry> distinct = new HashMap<>();
  private final Map<String, BitSet> failures = new HashMap<>();
  private final Map<String, Map<Integer, String>> reasons = new HashMap<>();
  private final Map<String, Integer> places = new HashMap<>();
  private final Ledger ledger;

  Results(Path file, DataSet data, List<Cell> cells, ResultLine lines) {
    this.samples = data.samples();
    this.lines = lines;
    this.hashes = new String[samples.size()];
    for (int i = 0; i < hashes.length; i++) {
      places.put(samples.get(i).id(), i);
      hashes[i] = hash(samples.get(i));
    }
    for (Cell cell : cells) {
      entries.put(cell.id(), new Entry[samples.size()]);
      failures.put(cell.id(), new BitSet());
      reasons.put(cell.id(), new HashMap<>());
    }
    this.ledger = Ledger.open(file, this::known);
  }

  private void known(JsonNode line) {
    String id = line.path(ResultLine.CELL).textValue();
    Entry[] cell = entries.get(id);
    Integer place = places.get(line.path(ResultLine.DOC).textValue());
    if (cell == null || place == null) {
      return;
    }
    if (ResultLine.isError(line)) {
      reasons.get(id).put(place, ResultLine.error(line));
    } else {
      cell[place] = shared(lines.read(line, samples.get(place)));
    }
  }

  /** Whether a cell has answered a question. */
  synchronized boolean has(Cell cell, int question) {
    return entries.get(cell.id())[question] != null;
  }

  /** Whether a cell has answered anything. */
  synchronized boolean hasAny(Cell cell) {
    for (Entry entry : entries.get(cell.id())) {
      if (entry != null) {
        return true;
      }
    }
    return false;
  }

  /** A cell's entry for a question; null if it has none. */
  synchronized Entry get(Cell cell, int question) {
    return entries.get(cell.id())[question];
  }

  void answered(Cell cell, int question, Outcome outcome) {
    ObjectNode line = lines.answered(cell, samples.get(question), hashes[question], outcome);
    Entry entry = lines.read(line, samples.get(question));
    ledger.append(line);
    synchronized (this) {
      entries.get(cell.id())[question] = shared(entry);
    }
  }

  /** The one object that stands for all lines that say the same. */
  private Entry shared(Entry entry) {
    Entry known = distinct.putIfAbsent(entry, entry);
    return known == null ? entry : known;
  }

  void failed(Cell cell, int question, String reason) {
    boolean isNew;
    synchronized (this) {
      failures.get(cell.id()).set(question);
      isNew = !reason.equals(reasons.get(cell.id()).put(question, reason));
    }
    if (isNew) {
      ledger.append(lines.failed(cell, samples.get(question), hashes[question], reason));
    }
  }

  /** Questions on which a cell failed in this process. */
  synchronized int failures(Cell cell) {
    return failures.get(cell.id()).cardinality();
  }

  /** Why the first question that failed in this process did; nothing if none has. */
  synchronized Optional<String> firstFailure() {
    return failures.entrySet().stream()
        .filter(cell -> !cell.getValue().isEmpty())
        .map(cell -> reasons.get(cell.getKey()).get(cell.getValue().nextSetBit(0)))
        .findFirst();
  }

  private static String hash(Sample sample) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (String part :
          List.of(sample.id(), sample.question(), String.join("\n", sample.answers()))) {
        digest.update(part.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  @Override
  public void close() {
    ledger.close();
  }
}
