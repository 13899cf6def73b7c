package dev.squint.evaluation.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** What a file of costs holds: timed requests, blocks of requests under load, memory. */
sealed interface CostRecord {

  String PEAK_BYTES = "peak_bytes";
  String MEMORY = "memory";

  /** The configuration's id. */
  String config();

  /** What was measured of the configuration. */
  String what();

  static String request(int round) {
    return "request " + round;
  }

  static String block(int round, int callers) {
    return "block " + round + " of " + callers;
  }

  ObjectNode toJson();

  /**
   * One request, alone.
   *
   * @param config the configuration's id
   * @param batch which process timed it; only requests of one are compared
   * @param round which pass
   * @param visionMillis image to features
   * @param prefillMillis features to first logits
   * @param selectionMillis deciding what to keep
   * @param decodeMillis a generated token; 0 if there was no second
   * @param totalMillis image file to answer
   * @param prefillFlops its prefill, exact
   */
  record Request(
      String config,
      int batch,
      int round,
      double visionMillis,
      double prefillMillis,
      double selectionMillis,
      double decodeMillis,
      double totalMillis,
      long prefillFlops)
      implements CostRecord {

    @Override
    public String what() {
      return CostRecord.request(round);
    }

    /** Tells which requests were made one shortly after another. */
    String turn() {
      return batch + " " + round;
    }

    @Override
    public ObjectNode toJson() {
      return new ObjectMapper()
          .createObjectNode()
          .put("cell", config)
          .put("batch", batch)
          .put("round", round)
          .put("vision_ms", visionMillis)
          .put("prefill_ms", prefillMillis)
          .put("selection_ms", selectionMillis)
          .put("decode_ms_per_token", decodeMillis)
          .put("total_ms", totalMillis)
          .put("prefill_flops", prefillFlops);
    }
  }

  /**
   * Many requests of so many callers.
   *
   * @param config the configuration's id
   * @param round which pass
   * @param callers callers at once
   * @param requests requests of all of them
   * @param seconds time it took
   * @param medianMillis median time of a request
   * @param p95Millis 19 of 20 took no longer
   * @param joules energy of the processor, 0 if the system does not tell
   */
  record Block(
      String config,
      int round,
      int callers,
      int requests,
      double seconds,
      double medianMillis,
      double p95Millis,
      double joules)
      implements CostRecord {

    @Override
    public String what() {
      return CostRecord.block(round, callers);
    }

    @Override
    public ObjectNode toJson() {
      ObjectNode line =
          new ObjectMapper()
              .createObjectNode()
              .put("cell", config)
              .put("round", round)
              .put("callers", callers)
              .put("requests", requests)
              .put("seconds", seconds)
              .put("median_ms", medianMillis)
              .put("p95_ms", p95Millis);
      return joules > 0 ? line.put("joules", joules) : line;
    }
  }

  /**
   * What a process that answers one question with the configuration's setting holds.
   *
   * @param config the configuration's id
   * @param peakBytes most resident memory
   */
  record Memory(String config, long peakBytes) implements CostRecord {

    @Override
    public String what() {
      return MEMORY;
    }

    @Override
    public ObjectNode toJson() {
      return new ObjectMapper().createObjectNode().put("cell", config).put(PEAK_BYTES, peakBytes);
    }
  }

  static CostRecord read(JsonNode line) {
    String config = line.path("cell").textValue();
    int round = line.path("round").intValue();
    if (line.has("callers")) {
      return new Block(
          config,
          round,
          line.path("callers").intValue(),
          line.path("requests").intValue(),
          line.path("seconds").doubleValue(),
          line.path("median_ms").doubleValue(),
          line.path("p95_ms").doubleValue(),
          line.path("joules").doubleValue());
    }
    if (line.has(PEAK_BYTES)) {
      return new Memory(config, line.path(PEAK_BYTES).longValue());
    }
    return new Request(
        config,
        line.path("batch").intValue(),
        round,
        line.path("vision_ms").doubleValue(),
        line.path("prefill_ms").doubleValue(),
        line.path("selection_ms").doubleValue(),
        line.path("decode_ms_per_token").doubleValue(),
        line.path("total_ms").doubleValue(),
        line.path("prefill_flops").longValue());
  }
}
