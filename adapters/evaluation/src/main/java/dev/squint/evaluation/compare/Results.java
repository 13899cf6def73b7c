package dev.squint.evaluation.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.evaluation.data.DataSet;
import dev.squint.evaluation.data.Sample;
import dev.squint.evaluation.internal.AnswerException;
import dev.squint.evaluation.internal.AnswerSink;
import dev.squint.evaluation.internal.ModelOutput;
import dev.squint.evaluation.internal.RunConfig;
import dev.squint.onnx.internal.io.Sha256;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What each configuration made of each question: {@code results.jsonl} and, in memory, what the
 * summary needs of it. Lines of configurations that are not asked for now stay in the file.
 * Questions that failed are asked again when the comparison is started again; the last line about a
 * question counts. Thread-safe.
 */
final class Results implements AnswerSink, AutoCloseable {

  private final List<Sample> samples;
  private final String[] hashes;
  private final ResultLine lines;
  private final Map<String, ScoredAnswer[]> answers = new LinkedHashMap<>();
  private final Map<ScoredAnswer, ScoredAnswer> distinct = new HashMap<>();
  private final Map<String, BitSet> failures = new HashMap<>();
  private final Map<String, Map<Integer, String>> reasons = new HashMap<>();
  private final Map<String, Integer> places = new HashMap<>();
  private final JsonlLog log;

  Results(Path file, DataSet data, List<RunConfig> configs, ResultLine lines) {
    this.samples = data.samples();
    this.lines = lines;
    this.hashes = new String[samples.size()];
    for (int i = 0; i < hashes.length; i++) {
      places.put(samples.get(i).id(), i);
      hashes[i] = hash(samples.get(i));
    }
    for (RunConfig config : configs) {
      answers.put(config.id(), new ScoredAnswer[samples.size()]);
      failures.put(config.id(), new BitSet());
      reasons.put(config.id(), new HashMap<>());
    }
    this.log = JsonlLog.open(file, this::known);
  }

  private void known(JsonNode line) {
    String id = line.path(ResultLine.CELL).textValue();
    ScoredAnswer[] config = answers.get(id);
    Integer place = places.get(line.path(ResultLine.DOC).textValue());
    if (config == null || place == null) {
      return;
    }
    if (ResultLine.isError(line)) {
      reasons.get(id).put(place, ResultLine.error(line));
    } else {
      config[place] = shared(lines.read(line, samples.get(place)));
    }
  }

  @Override
  public synchronized boolean has(RunConfig config, int question) {
    return answers.get(config.id())[question] != null;
  }

  /** Whether a configuration has answered anything. */
  synchronized boolean hasAny(RunConfig config) {
    for (ScoredAnswer entry : answers.get(config.id())) {
      if (entry != null) {
        return true;
      }
    }
    return false;
  }

  /** A configuration's entry for a question; null if it has none. */
  synchronized ScoredAnswer get(RunConfig config, int question) {
    return answers.get(config.id())[question];
  }

  @Override
  public void answered(RunConfig config, int question, ModelOutput output) {
    ObjectNode line = lines.answered(config, samples.get(question), hashes[question], output);
    ScoredAnswer entry = lines.read(line, samples.get(question));
    log.append(line);
    synchronized (this) {
      answers.get(config.id())[question] = shared(entry);
    }
  }

  /** The one object that stands for all lines that say the same. */
  private ScoredAnswer shared(ScoredAnswer entry) {
    ScoredAnswer known = distinct.putIfAbsent(entry, entry);
    return known == null ? entry : known;
  }

  @Override
  public void failed(RunConfig config, int question, AnswerException failure) {
    String reason = failure.getMessage();
    boolean isNew;
    synchronized (this) {
      failures.get(config.id()).set(question);
      isNew = !reason.equals(reasons.get(config.id()).put(question, reason));
    }
    if (isNew) {
      log.append(lines.failed(config, samples.get(question), hashes[question], reason));
    }
  }

  /** Questions on which a configuration failed in this process. */
  synchronized int failures(RunConfig config) {
    return failures.get(config.id()).cardinality();
  }

  /** Why the first question that failed in this process did; nothing if none has. */
  synchronized Optional<String> firstFailure() {
    return failures.entrySet().stream()
        .filter(config -> !config.getValue().isEmpty())
        .map(config -> reasons.get(config.getKey()).get(config.getValue().nextSetBit(0)))
        .findFirst();
  }

  private static String hash(Sample sample) {
    return Sha256.of(sample.id(), sample.question(), String.join("\n", sample.answers()));
  }

  @Override
  public void close() {
    log.close();
  }
}
