package dev.squint.cli;

import dev.squint.Answerable;
import dev.squint.Squint;
import dev.squint.engine.StrategySupport;
import dev.squint.engine.options.ModelOptions;
import dev.squint.onnx.report.ModelReport;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "inspect",
    description = "Says what an exported model is, where it can be split and what can prune it.",
    mixinStandardHelpOptions = true)
final class InspectCommand implements Runnable {

  @Mixin private ModelArgument model;

  @Mixin private CacheOption cache;

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    ModelOptions options =
        ModelOptions.builder().cacheFolder(cache.folder()).precision(model.precision()).build();
    Answerable answerable = Squint.answerable(model.path(), options);
    StrategySupport support =
        StrategySupport.of(model.path(), model.precision(), answerable.visualTokens());
    String answers = answers(answerable);
    PrintWriter out = spec.commandLine().getOut();
    List<String> lacks =
        Stream.concat(support.model().lacks().stream(), answerable.notes().stream()).toList();
    out.print(json ? json(support, answerable.refusal(), lacks) : text(support, answers, lacks));
    out.flush();
  }

  private static String answers(Answerable answerable) {
    return answerable
        .refusal()
        .map(reason -> "no, " + reason)
        .orElse(
            answerable.opened()
                ? "yes"
                : "yes, by its files; they are too large to be opened for a look");
  }

  private static String text(StrategySupport support, String answers, List<String> lacks) {
    ModelReport report = support.model();
    Rows rows = new Rows();
    rows.add("family", report.family().orElse("unknown (no config names it)"));
    rows.add("layout", report.layout());
    rows.add("answers", "%s", answers);
    for (ModelReport.GraphFile graph : report.graphs()) {
      rows.add(
          graph.role(),
          "%s, %,d bytes, %s, opset %d, %d nodes, made by %s (guess)%s",
          graph.file().getFileName(),
          graph.bytes(),
          graph.summary().precision(),
          graph.summary().opset(),
          graph.summary().nodes(),
          graph.summary().exporter(),
          weights(graph));
    }
    boolean oneSize = report.vision().map(tower -> tower.inputs().size() == 1).orElse(true);
    report
        .visualTokens()
        .ifPresent(
            count ->
                rows.add(
                    "visual tokens",
                    oneSize ? "%d per image" : "%d of a usual tile, more or fewer by the image",
                    count));
    report.decoder().ifPresent(decoder -> decoder(rows, decoder));
    report.vision().ifPresent(vision -> vision(rows, vision));
    lacks.forEach(missing -> rows.add("note", "%s", missing));
    support
        .strategies()
        .forEach(
            (name, reason) ->
                rows.add("strategy", "%s: %s", name, reason.map(r -> "no, " + r).orElse("yes")));
    support.note().ifPresent(note -> rows.add("note", "%s", note));
    return rows.toString();
  }

  private static String weights(ModelReport.GraphFile graph) {
    int files = graph.summary().dataFiles().size();
    return files == 0
        ? ""
        : files > 3
            ? ", weights in %d files".formatted(files)
            : ", weights in " + String.join(", ", graph.summary().dataFiles());
  }

  private static void decoder(Rows rows, ModelReport.Decoder decoder) {
    rows.add(
        "decoder",
        "%d layers, hidden size %s, %s heads, %s KV heads of width %s, vocabulary %s",
        decoder.layers(),
        shown(decoder.hidden()),
        shown(decoder.heads()),
        shown(decoder.kvHeads()),
        shown(decoder.headDim()),
        shown(decoder.vocabulary()));
    Map<String, List<Integer>> byEncoding = new TreeMap<>();
    decoder
        .attention()
        .forEach(
            (layer, encoding) ->
                byEncoding.computeIfAbsent(encoding, key -> new ArrayList<>()).add(layer));
    byEncoding.forEach(
        (encoding, layers) -> rows.add("attention", "%s in layers %s", encoding, ranges(layers)));
    rows.add(
        "positions",
        switch (decoder.positions()) {
          case INPUT -> "input position_ids; original and compacted positions";
          case INPUT_3D -> "input position_ids, 3D (mRoPE); original positions";
          case FUSED ->
              "rotated inside the attention, by given positions after a split; original and compacted";
          case COUNTED -> "counted in the graph, replaced after a split; original and compacted";
          case UNKNOWN -> "not found in the graph; compacted positions only";
        });
    List<Integer> splits = new ArrayList<>();
    for (int layer = 1; layer < decoder.layers(); layer++) {
      if (!decoder.unsplittable().containsKey(layer)) {
        splits.add(layer);
      }
    }
    rows.add(
        "can be split", "%s", splits.isEmpty() ? "nowhere" : "before layers " + ranges(splits));
    firstReason(decoder.unsplittable()).ifPresent(reason -> rows.add("not split", "%s", reason));
    rows.add(
        "can be tapped",
        "hidden states and keys of all layers, attention of layers %s",
        ranges(List.copyOf(decoder.attention().keySet())));
    firstReason(decoder.untappable()).ifPresent(reason -> rows.add("not tapped", "%s", reason));
  }

  private static Optional<String> firstReason(Map<Integer, String> reasons) {
    return reasons.values().stream().findFirst();
  }

  private static void vision(Rows rows, ModelReport.Vision vision) {
    rows.add(
        "vision tower",
        "%d layers, %s, attention %s, inputs %s",
        vision.layers(),
        vision.hasCls() ? "[CLS] token" : "no [CLS] token (attention received stands in)",
        String.join(", ", vision.attention()),
        String.join(", ", vision.inputs()));
    if (!vision.windowed().isEmpty()) {
      rows.add("windows", "layers %s see parts of the image only", ranges(vision.windowed()));
    }
  }

  private static String shown(Optional<Integer> size) {
    return size.map(Object::toString).orElse("unknown");
  }

  /** Ascending numbers as ranges: {@code 0..3, 5}. */
  private static String ranges(List<Integer> numbers) {
    List<String> ranges = new ArrayList<>();
    int i = 0;
    while (i < numbers.size()) {
      int first = i;
      while (i + 1 < numbers.size() && numbers.get(i + 1) == numbers.get(i) + 1) {
        i++;
      }
      ranges.add(
          first == i ? numbers.get(i).toString() : numbers.get(first) + ".." + numbers.get(i));
      i++;
    }
    return ranges.isEmpty() ? "none" : String.join(", ", ranges);
  }

  private static String json(
      StrategySupport support, Optional<String> refusal, List<String> lacks) {
    ModelReport report = support.model();
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("family", report.family().orElse(null));
    root.put("layout", report.layout());
    root.put("answers", refusal.orElse("yes"));
    root.put("visualTokens", report.visualTokens().orElse(null));
    root.put("graphs", report.graphs().stream().map(InspectCommand::fields).toList());
    root.put("decoder", report.decoder().map(InspectCommand::fields).orElse(null));
    root.put("vision", report.vision().orElse(null));
    root.put("lacks", lacks);
    Map<String, Object> strategies = new LinkedHashMap<>();
    support.strategies().forEach((name, reason) -> strategies.put(name, reason.orElse("yes")));
    root.put("strategies", strategies);
    root.put("note", support.note().orElse(null));
    return JsonLine.of(root);
  }

  private static Map<String, Object> fields(ModelReport.GraphFile graph) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("role", graph.role());
    fields.put("file", graph.file().toString());
    fields.put("bytes", graph.bytes());
    fields.put("precision", graph.summary().precision());
    fields.put("exporter", graph.summary().exporter());
    fields.put("opset", graph.summary().opset());
    fields.put("nodes", graph.summary().nodes());
    fields.put("dataFiles", graph.summary().dataFiles());
    return fields;
  }

  private static Map<String, Object> fields(ModelReport.Decoder decoder) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("layers", decoder.layers());
    fields.put("hidden", decoder.hidden().orElse(null));
    fields.put("heads", decoder.heads().orElse(null));
    fields.put("kvHeads", decoder.kvHeads().orElse(null));
    fields.put("headDim", decoder.headDim().orElse(null));
    fields.put("vocabulary", decoder.vocabulary().orElse(null));
    fields.put("attention", decoder.attention());
    fields.put("positions", decoder.positions());
    fields.put("unsplittable", decoder.unsplittable());
    fields.put("untappable", decoder.untappable());
    return fields;
  }
}
