package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.attention.AttentionSite;
import dev.squint.onnx.internal.attention.FusedAttention;
import dev.squint.onnx.internal.attention.SoftmaxAttention;
import dev.squint.onnx.internal.graph.Attributes;
import dev.squint.onnx.internal.graph.ElementTypes;
import dev.squint.onnx.internal.graph.Flow;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import dev.squint.onnx.internal.graph.ShapeFolding;
import dev.squint.onnx.internal.io.Printable;
import dev.squint.onnx.internal.observe.ExpressionWriter;
import dev.squint.onnx.internal.observe.TapNames;
import dev.squint.onnx.report.PositionSource;
import dev.squint.pruning.observe.Expression;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Extracts one range of layers from a decoder. One extractor serves one segment.
 *
 * <p>What the range needs is found by walking backwards from its outputs to the boundary at its
 * head. Small common parts (mask, rotary tables, lengths) lie off the hidden states and come along
 * as copies. Where such a part counts tokens on the hidden states before the boundary, it is made
 * to count those of the boundary instead; where it measures the KV cache of a layer outside the
 * range, it measures the first layer of the range instead. New tensors take the names of those they
 * stand for, so that no other node has to change. Embeddings are taken as float32 whatever the file
 * takes.
 */
public final class SegmentExtractor {

  private static final Set<String> KEEPS_ROWS =
      Set.of(
          "Cast",
          "Identity",
          "Add",
          "Sub",
          "Mul",
          "Div",
          "LayerNormalization",
          "SimplifiedLayerNormalization",
          "RMSNormalization");

  private final DecoderGraph decoder;
  private final OnnxGraph graph;
  private final SegmentSpec spec;
  private final List<String> boundary;
  private final BitSet hidden;
  private final Flow afterSplit;
  private final BitSet residual;

  private final BitSet needed = new BitSet();
  private final Set<String> weights = new LinkedHashSet<>();
  private final Set<String> usedInputs = new HashSet<>();
  private final Map<Integer, String> rewiredShapes = new HashMap<>();
  private final Map<String, String> foreignCaches = new HashMap<>();
  private final Map<String, Boolean> keepingRows = new HashMap<>();
  private final BitSet turnedOutside = new BitSet();
  private final BitSet turnedByTable = new BitSet();
  private final Map<Integer, String> turnedQueries = new HashMap<>();
  private final Map<Integer, UnaryOperator<NodeProto>> filled = new HashMap<>();
  private final Optional<String> counted;
  private Optional<GrowingCacheWriter> growing = Optional.empty();

  private SegmentExtractor(DecoderGraph decoder, SegmentSpec spec) {
    this.decoder = decoder;
    this.graph = decoder.graph();
    this.spec = spec;
    this.boundary = decoder.boundary(spec.from());
    this.hidden = decoder.hiddenNodes();
    this.residual = decoder.residualStream();
    this.afterSplit = new Flow(graph, boundary, false);
    this.counted = spec.givenPositions() ? decoder.counted() : Optional.empty();
  }

  /**
   * Extracts a segment.
   *
   * @param decoder the decoder
   * @param spec which layers, with or without a seam, with which taps
   * @return the segment, its weights shared with the original file wherever they are external
   * @throws ModelException if the range needs something of the layers before it other than their
   *     hidden states
   */
  public static SegmentModel extract(DecoderGraph decoder, SegmentSpec spec) {
    if (spec.to() > decoder.layers()) {
      throw new ModelException(
          "layers [%d, %d) asked for, but the decoder has %d layers"
              .formatted(spec.from(), spec.to(), decoder.layers()));
    }
    return new SegmentExtractor(decoder, spec).extract();
  }

  private SegmentModel extract() {
    List<String> targets = new ArrayList<>();
    for (int layer = spec.from(); layer < spec.to() && !spec.lookahead(); layer++) {
      targets.add(DecoderGraph.present(layer, true));
      targets.add(DecoderGraph.present(layer, false));
    }
    boolean last = spec.to() == decoder.layers() && !spec.lookahead();
    List<String> hiddenOutputs = new ArrayList<>();
    if (!last && !spec.lookahead()) {
      hiddenOutputs.addAll(decoder.boundary(spec.to()));
      hiddenOutputs.addAll(decoder.deepStackFrom(spec.to()));
    }
    targets.addAll(last ? List.of(DecoderGraph.LOGITS) : hiddenOutputs);
    DecoderTensors observed = new DecoderTensors(decoder, spec.taps());
    targets.addAll(observed.reads());
    for (int layer = spec.from(); layer < spec.to() && spec.cache().attended(); layer++) {
      targets.addAll(observed.site(layer).reads());
    }

    collect(targets);
    findOuterRotations(observed.sites());
    refuseForeignValues(targets);

    GraphProto.Builder out =
        GraphProto.newBuilder().setName("squint-layers-%d-%d".formatted(spec.from(), spec.to()));
    GraphNodes nodes = new GraphNodes(out, graph.opset());
    Optional<KvCacheWriter> cache = cacheWriter(out, nodes);
    List<String> hiddenInputs = declareInputs(out, nodes);
    growing =
        isGrowing()
            ? Optional.of(new GrowingCacheWriter(decoder, spec, out, nodes))
            : Optional.empty();
    cache.ifPresent(
        writer -> layers().forEach(layer -> writer.restore(layer, before(layer, writer))));
    if (!isGrowing()) {
      foreignCaches.forEach((foreign, own) -> nodes.identity(own, foreign));
    }
    cache.ifPresent(writer -> hideFilling(writer, observed));
    copyNodes(out, nodes, last);
    if (last) {
      pickBest(nodes);
    }
    ExpressionWriter taps = observed.writer(nodes, turnedQueries);
    for (Expression tap : spec.taps()) {
      taps.write(tap);
      out.addOutput(GraphNodes.shapeless(TapNames.output(tap), GraphNodes.FLOAT));
    }
    observed
        .inputs()
        .forEach(rows -> out.addInput(GraphNodes.value(rows.name(), GraphNodes.INT64, "")));
    weights.addAll(observed.weights());
    cache.ifPresent(writer -> layers().forEach(writer::store));
    if (spec.cache().attended()) {
      addCacheAttention(out, nodes, observed);
    }
    weights.forEach(weight -> out.addInitializer(graph.initializer(weight)));
    declareOutputs(out, hiddenOutputs, last);
    ShapeFolding.in(out, Set.of(KvCacheNames.BEGIN, KvCacheNames.END));
    ModelProto model =
        graph.model().toBuilder().clearGraph().clearMetadataProps().setGraph(out).build();
    return new SegmentModel(spec, model, graph.folder(), hiddenInputs, hiddenOutputs);
  }

  private boolean hasSeam() {
    return spec.seam() != Seam.NONE;
  }

  private boolean takesPositions() {
    return usedInputs.contains(DecoderGraph.POSITIONS)
        || counted.isPresent()
        || !turnedOutside.isEmpty()
        || !turnedByTable.isEmpty();
  }

  /** Attention whose positions are to come from outside, or whose turned queries are wanted. */
  private void findOuterRotations(Collection<AttentionSite> observed) {
    Set<Integer> watched = observed.stream().map(AttentionSite::node).collect(Collectors.toSet());
    for (int i = needed.nextSetBit(0); i >= 0; i = needed.nextSetBit(i + 1)) {
      if (!FusedRotary.isIn(graph.nodes().get(i))) {
        continue;
      }
      if (watched.contains(i) || (spec.givenPositions() && !spec.cache().asExported())) {
        turnedOutside.set(i);
      } else if (spec.givenPositions()) {
        turnedByTable.set(i);
      }
    }
  }

  private static String all(String tensor) {
    return tensor + ".all";
  }

  /** A KV cache of another layer may be measured, its values may not be read. */
  private void refuseForeignValues(List<String> targets) {
    Set<String> seen = new HashSet<>();
    Deque<String> work = new ArrayDeque<>(targets);
    while (!work.isEmpty()) {
      String tensor = work.pop();
      if (boundary.contains(tensor) || !seen.add(tensor)) {
        continue;
      }
      int producer = graph.producer(tensor);
      if (producer < 0) {
        if (standIn(tensor).isPresent()) {
          throw new ModelException(
              "%s: layers [%d, %d) read the values of %s, which belongs to another layer; a decoder that shares its KV cache between layers cannot be split here"
                  .formatted(graph.file(), spec.from(), spec.to(), tensor));
        }
      } else if (!OnnxGraph.readsShapeOnly(graph.nodes().get(producer))) {
        work.addAll(graph.reads(producer));
      }
    }
  }

  /** For a cache outside the range the cache of its first layer, which stands for it. */
  private Optional<String> standIn(String tensor) {
    int layer = decoder.layerOfPast(tensor);
    boolean foreign = layer >= 0 && (layer < spec.from() || layer >= spec.to());
    return foreign
        ? Optional.of(DecoderGraph.past(spec.from(), tensor.equals(DecoderGraph.past(layer, true))))
        : Optional.empty();
  }

  private void collect(List<String> targets) {
    Set<String> seen = new HashSet<>();
    Deque<String> work = new ArrayDeque<>(targets);
    while (!work.isEmpty()) {
      String tensor = work.pop();
      if (!seen.add(tensor) || boundary.contains(tensor)) {
        continue;
      }
      int producer = graph.producer(tensor);
      if (producer < 0) {
        collectLeaf(tensor);
      } else if (!needed.get(producer)) {
        needed.set(producer);
        NodeProto node = graph.nodes().get(producer);
        for (String input : graph.reads(producer)) {
          if (!isUpstream(input) || boundary.contains(input)) {
            work.add(input);
          } else if (OnnxGraph.readsShapeOnly(node) && keepsRows(input)) {
            rewiredShapes.put(producer, boundary.get(0));
          } else {
            throw new ModelException(
                "%s cannot be split before layer %d: node %s reads '%s', which lies before the split"
                    .formatted(
                        graph.file(), spec.from(), OnnxGraph.label(node), Printable.of(input)));
          }
        }
      }
    }
  }

  private void collectLeaf(String tensor) {
    Optional<String> standIn = standIn(tensor);
    if (graph.initializer(tensor) != null) {
      weights.add(tensor);
    } else if (standIn.isPresent()) {
      foreignCaches.put(tensor, standIn.get());
      usedInputs.add(standIn.get());
    } else {
      usedInputs.add(tensor);
    }
  }

  private boolean isUpstream(String tensor) {
    int producer = graph.producer(tensor);
    boolean embeds = tensor.equals(DecoderGraph.EMBEDS) && spec.from() > 0;
    return embeds || (producer >= 0 && hidden.get(producer) && !afterSplit.reaches(producer));
  }

  /** Whether a hidden tensor has the axes batch, tokens in front, as the boundary has. */
  private boolean keepsRows(String tensor) {
    List<String> passed = new ArrayList<>();
    String name = tensor;
    while (!keepingRows.containsKey(name)
        && !name.equals(DecoderGraph.EMBEDS)
        && isHidden(name)
        && !residual.get(graph.producer(name))) {
      passed.add(name);
      NodeProto node = graph.nodes().get(graph.producer(name));
      name =
          KEEPS_ROWS.contains(node.getOpType())
              ? node.getInputList().stream()
                  .filter(in -> in.equals(DecoderGraph.EMBEDS) || isHidden(in))
                  .findFirst()
                  .orElse("")
              : "";
    }
    boolean keeps =
        keepingRows.getOrDefault(name, name.equals(DecoderGraph.EMBEDS) || isHidden(name));
    passed.forEach(by -> keepingRows.put(by, keeps));
    return keeps;
  }

  private boolean isHidden(String tensor) {
    int producer = graph.producer(tensor);
    return producer >= 0 && hidden.get(producer);
  }

  private List<String> declareInputs(GraphProto.Builder out, GraphNodes nodes) {
    long width = graph.inputDimension(DecoderGraph.EMBEDS, 2);
    List<String> hiddenInputs = new ArrayList<>();
    Optional<MergingSeam> seam =
        spec.seam() == Seam.MERGE ? Optional.of(new MergingSeam(nodes)) : Optional.empty();
    for (String tensor : boundary) {
      int type = decoder.elementType(tensor);
      boolean converted = tensor.equals(DecoderGraph.EMBEDS) && type != GraphNodes.FLOAT;
      boolean renamed = hasSeam() || spec.from() > 0 || converted;
      String name = renamed ? all(tensor) : tensor;
      hiddenInputs.add(name);
      out.addInput(
          GraphNodes.value(
              name, converted ? GraphNodes.FLOAT : type, "batch_size", "tokens", width));
      if (seam.isPresent() && boundary.indexOf(tensor) < boundary.size() - 1) {
        continue;
      }
      String arriving =
          seam.isPresent()
              ? seam.get().extended(name, converted ? GraphNodes.FLOAT : type, 1)
              : name;
      String kept = hasSeam() ? nodes.gather(arriving, SegmentModel.KEEP, 1) : name;
      if (converted) {
        nodes.cast(kept, type, tensor);
      } else if (renamed) {
        nodes.identity(kept, tensor);
      }
    }
    for (String tensor : deepStack()) {
      hiddenInputs.add(declareDeepStack(out, nodes, tensor, seam));
    }
    if (hasSeam()) {
      out.addInput(GraphNodes.value(SegmentModel.KEEP, GraphNodes.INT64, "kept"));
    }
    if (seam.isPresent()) {
      MergingSeam.declareInputs(out);
      if (boundary.size() > 1) {
        weights.addAll(seam.get().normAnew(graph, boundary));
      }
    }
    for (ValueInfoProto input : graph.inputsAmong(usedInputs)) {
      String name = input.getName();
      boolean perToken =
          name.equals(DecoderGraph.EMBEDS)
              || name.equals(DecoderGraph.POSITIONS)
              || name.equals(DecoderGraph.TOKEN_TYPES)
              || decoder.deepStack().names().contains(name);
      if (!perToken && !isStored(name)) {
        out.addInput(input);
      }
    }
    if (takesPositions()) {
      boolean mrope = decoder.positions() == PositionSource.INPUT_3D;
      declarePerToken(out, nodes, DecoderGraph.POSITIONS, mrope);
    }
    if (usedInputs.contains(DecoderGraph.TOKEN_TYPES)) {
      declarePerToken(out, nodes, DecoderGraph.TOKEN_TYPES, false);
    }
    return hiddenInputs;
  }

  /** What runs ahead of a layer needs them only where it looks behind them. */
  private List<String> deepStack() {
    List<String> names = decoder.deepStackFrom(spec.from());
    return !spec.lookahead() || names.stream().anyMatch(usedInputs::contains) ? names : List.of();
  }

  /** They come in with the hidden states, and the seam treats them alike. */
  private String declareDeepStack(
      GraphProto.Builder out, GraphNodes nodes, String tensor, Optional<MergingSeam> seam) {
    DeepStackInputs all = decoder.deepStack();
    int type = decoder.elementType(tensor);
    boolean converted = spec.from() == 0 && type != GraphNodes.FLOAT;
    int given = converted ? GraphNodes.FLOAT : type;
    String name = all(tensor);
    long width = graph.inputDimension(tensor, all.tokenAxis() + 1);
    out.addInput(
        all.packed()
            ? GraphNodes.value(name, given, all.levels(), "batch_size", "tokens", width)
            : GraphNodes.value(name, given, "batch_size", "tokens", width));
    String arriving = seam.isPresent() ? seam.get().extended(name, given, all.tokenAxis()) : name;
    String kept = hasSeam() ? nodes.gather(arriving, SegmentModel.KEEP, all.tokenAxis()) : arriving;
    if (converted) {
      nodes.cast(kept, type, tensor);
    } else {
      nodes.identity(kept, tensor);
    }
    return name;
  }

  private IntStream layers() {
    return IntStream.range(spec.from(), spec.to());
  }

  private Optional<KvCacheWriter> cacheWriter(GraphProto.Builder out, GraphNodes nodes) {
    if (!spec.cache().stored()) {
      return Optional.empty();
    }
    for (int layer = spec.from(); layer < spec.to(); layer++) {
      for (boolean key : new boolean[] {true, false}) {
        if (!usedInputs.contains(DecoderGraph.past(layer, key))) {
          throw new ModelException(
              "the decoder does not read its own cache '%s'; export it with its KV cache"
                  .formatted(DecoderGraph.past(layer, key)));
        }
      }
    }
    return Optional.of(new KvCacheWriter(graph, out, nodes, spec.cache()));
  }

  /** Where heads are filled up to the longest, the scores of what fills them are taken out. */
  private void hideFilling(KvCacheWriter writer, DecoderTensors observed) {
    if (!(spec.cache() instanceof KvCacheLayout.Ragged)) {
      return;
    }
    for (int layer = spec.from(); layer < spec.to(); layer++) {
      AttentionSite site = observed.site(layer);
      int ofCache = decoder.elementType(DecoderGraph.past(layer, true));
      int at = layer;
      if (site instanceof SoftmaxAttention) {
        String scores = Attributes.input(graph.nodes().get(site.node()), 0);
        int known = decoder.elementType(scores);
        int type = known == ElementTypes.UNKNOWN ? ofCache : known;
        filled.put(
            site.node(),
            node -> node.toBuilder().setInput(0, writer.hidden(at, scores, type)).build());
      } else if (site instanceof FusedAttention fused && fused.takesBias()) {
        filled.put(site.node(), node -> fused.biased(node, writer.bias(at, fused, ofCache)));
      } else {
        throw new ModelException(
            "%s: layer %d computes its attention in one operator, %s, which takes one length for all heads; for a KV cache with a length per head export the decoder with eager attention"
                .formatted(graph.file(), layer, site.encoding()));
      }
    }
  }

  /** What a layer's cache can wait for: its hidden states, and the storing of the layer above. */
  private List<String> before(int layer, KvCacheWriter writer) {
    if (layer == spec.from()) {
      return List.of();
    }
    Flow after =
        new Flow(
            graph, List.of(DecoderGraph.past(layer, true), DecoderGraph.past(layer, false)), true);
    String states = decoder.hiddenStates(layer);
    if (after.reaches(graph.producer(states))
        || after.reaches(graph.producer(DecoderGraph.present(layer - 1, true)))
        || after.reaches(graph.producer(DecoderGraph.present(layer - 1, false)))) {
      return List.of();
    }
    List<String> before = new ArrayList<>(writer.stored(layer - 1));
    before.add(states);
    return before;
  }

  /** The attention of a layer's new tokens to all that are cached. */
  private void addCacheAttention(
      GraphProto.Builder out, GraphNodes nodes, DecoderTensors observed) {
    out.addInput(GraphNodes.value(KvCacheNames.ROWS, GraphNodes.INT64, KvCacheNames.ROWS));
    boolean perHead = spec.cache() instanceof KvCacheLayout.Ragged;
    for (int layer = spec.from(); layer < spec.to(); layer++) {
      String name = KvCacheNames.attention(layer);
      String rows = observed.probabilities(observed.site(layer), KvCacheNames.ROWS);
      nodes.mean(rows, name, perHead ? new long[] {2} : new long[] {1, 2});
      out.addOutput(GraphNodes.shapeless(name, GraphNodes.FLOAT));
    }
  }

  private boolean isStored(String input) {
    return input.startsWith(DecoderGraph.PAST) && (spec.cache().stored() || isGrowing());
  }

  private void declarePerToken(
      GraphProto.Builder out, GraphNodes nodes, String name, boolean threeAxes) {
    String input = spec.arriving(name);
    out.addInput(
        threeAxes
            ? GraphNodes.value(input, GraphNodes.INT64, 3L, "batch_size", "tokens")
            : GraphNodes.value(input, GraphNodes.INT64, "batch_size", "tokens"));
    if (hasSeam()) {
      nodes.gather(input, SegmentModel.KEEP, threeAxes ? 2 : 1, name);
    }
  }

  private boolean isGrowing() {
    return spec.cache() instanceof KvCacheLayout.Growing;
  }

  private void copyNodes(GraphProto.Builder out, GraphNodes nodes, boolean last) {
    int lastRowNode = last ? decoder.lastRowNode() : -1;
    RotaryTables tables = new RotaryTables(nodes, DecoderGraph.POSITIONS);
    for (int i = needed.nextSetBit(0); i >= 0; i = needed.nextSetBit(i + 1)) {
      NodeProto whole = graph.nodes().get(i);
      if (growing.isPresent() && growing.get().replaces(whole)) {
        continue;
      }
      NodeProto grown = growing.map(writer -> writer.grown(whole)).orElse(whole);
      NodeProto node = filled.getOrDefault(i, UnaryOperator.identity()).apply(grown);
      if (rewiredShapes.containsKey(i)) {
        out.addNode(node.toBuilder().setInput(0, rewiredShapes.get(i)));
      } else if (i == lastRowNode) {
        addLastRow(out, nodes, node);
      } else if (turnedOutside.get(i)) {
        turnedQueries.put(i, FusedRotary.unfuse(graph, node, nodes, DecoderGraph.POSITIONS));
      } else if (turnedByTable.get(i)) {
        out.addNode(tables.turned(node));
      } else if (counted.isPresent() && node.getOutputList().contains(counted.get())) {
        replaceCounted(out, nodes, node);
      } else if (castsToItsType(node)) {
        nodes.identity(Attributes.input(node, 0), Attributes.output(node, 0));
      } else {
        out.addNode(node);
      }
      growing.ifPresent(writer -> writer.show(whole));
    }
  }

  /** ONNX Runtime drops such a node, but copies where its output is one of the segment. */
  private boolean castsToItsType(NodeProto node) {
    int type = decoder.elementType(Attributes.input(node, 0));
    return node.getOpType().equals("Cast")
        && type != ElementTypes.UNKNOWN
        && type == new Attributes(node).integer("to", ElementTypes.UNKNOWN);
  }

  /** The positions counted in the graph lend their shape to those given. */
  private void replaceCounted(GraphProto.Builder out, GraphNodes nodes, NodeProto node) {
    String tensor = counted.orElseThrow();
    NodeProto.Builder renamed = node.toBuilder();
    renamed.setOutput(node.getOutputList().indexOf(tensor), all(tensor));
    out.addNode(renamed);
    nodes.op("Reshape", List.of(DecoderGraph.POSITIONS, nodes.op("Shape", all(tensor))), tensor);
  }

  /** From here on only the last token is computed. */
  private void addLastRow(GraphProto.Builder out, GraphNodes nodes, NodeProto node) {
    List<String> consumed = decoder.consumedOutputs(decoder.lastRowNode());
    NodeProto.Builder renamed = node.toBuilder();
    for (int i = 0; i < node.getOutputCount(); i++) {
      if (consumed.contains(node.getOutput(i))) {
        renamed.setOutput(i, all(node.getOutput(i)));
      }
    }
    out.addNode(renamed);
    String lastRow = nodes.constant(-1);
    consumed.forEach(output -> nodes.gather(all(output), lastRow, 1, output));
  }

  private void pickBest(GraphNodes nodes) {
    boolean wide = decoder.elementType(DecoderGraph.LOGITS) == GraphNodes.FLOAT;
    String scores = wide ? DecoderGraph.LOGITS : nodes.floats(DecoderGraph.LOGITS);
    nodes.bestOf(scores, DecoderGraph.BEST_TOKEN);
  }

  private void declareOutputs(GraphProto.Builder out, List<String> hiddenOutputs, boolean last) {
    hiddenOutputs.forEach(
        tensor -> out.addOutput(GraphNodes.shapeless(tensor, decoder.elementType(tensor))));
    if (last) {
      out.addOutput(
          GraphNodes.shapeless(DecoderGraph.LOGITS, decoder.elementType(DecoderGraph.LOGITS)));
      out.addOutput(GraphNodes.shapeless(DecoderGraph.BEST_TOKEN, GraphNodes.INT64));
    }
    boolean whole = !spec.cache().stored() && !isGrowing() && !spec.lookahead();
    for (int layer = spec.from(); layer < spec.to() && whole; layer++) {
      for (boolean key : new boolean[] {true, false}) {
        ValueInfoProto declared = graph.outputs().get(DecoderGraph.present(layer, key));
        out.addOutput(
            GraphNodes.shapeless(
                declared.getName(), declared.getType().getTensorType().getElemType()));
      }
    }
  }
}
