package dev.squint.onnx.internal.decoder;

import ai.onnx.proto.OnnxMl.GraphProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.graph.Attributes;
import dev.squint.onnx.internal.graph.GraphNodes;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The files of a decoder: one, or two as old exporters wrote them, of which {@code decoder_model}
 * takes a whole prompt and knows no past, and {@code decoder_with_past_model} takes one token after
 * a past.
 *
 * @param prompt the graph that takes a prompt
 * @param steps the graph that takes each token after it, if that is another one
 */
public record DecoderPair(OnnxGraph prompt, Optional<OnnxGraph> steps) {

  private static final String STEPS = "decoder_with_past_model";
  private static final String PROMPT = "decoder_model";
  private static final int TOKENS_AXIS = 2;

  /** Reads the graph of a decoder, and where it takes one token alone the one beside it. */
  public static DecoderPair read(Path file) {
    return beside(OnnxGraph.read(file));
  }

  /** The same, of a graph that has been read. */
  public static DecoderPair beside(OnnxGraph graph) {
    Optional<Path> other =
        graph.hasInput(DecoderGraph.EMBEDS) && graph.inputDimension(DecoderGraph.EMBEDS, 1) == 1
            ? promptFile(graph.file())
            : Optional.empty();
    return other
        .map(found -> new DecoderPair(withPast(OnnxGraph.read(found), graph), Optional.of(graph)))
        .orElseGet(() -> new DecoderPair(graph, Optional.empty()));
  }

  /** The name of the file that takes the prompt for a file that takes the steps. */
  public static Optional<String> promptName(String stepsName) {
    return Optional.of(stepsName)
        .filter(name -> name.contains(STEPS))
        .map(name -> name.replace(STEPS, PROMPT));
  }

  private static Optional<Path> promptFile(Path file) {
    return promptName(file.getFileName().toString())
        .map(file::resolveSibling)
        .filter(Files::isRegularFile);
  }

  /** The decoder. */
  public DecoderGraph decoder() {
    return new DecoderGraph(prompt, steps.map(DecoderGraph::new));
  }

  /** Both graphs, or the one. */
  public List<OnnxGraph> graphs() {
    return Stream.concat(Stream.of(prompt), steps.stream()).toList();
  }

  /**
   * A decoder that takes a past, which has to be empty: keys and values of it come before those
   * that the graph computes, so that it is taken apart as any other decoder.
   *
   * @param steps the graph that declares the past
   */
  private static OnnxGraph withPast(OnnxGraph prompt, OnnxGraph steps) {
    if (prompt.inputs().keySet().stream().anyMatch(name -> name.startsWith(DecoderGraph.PAST))) {
      return prompt;
    }
    GraphProto.Builder out = prompt.model().getGraph().toBuilder();
    for (int layer = 0; steps.hasInput(DecoderGraph.past(layer, true)); layer++) {
      for (boolean key : new boolean[] {true, false}) {
        String past = DecoderGraph.past(layer, key);
        String present = DecoderGraph.present(layer, key);
        if (!steps.hasInput(past) || !prompt.outputs().containsKey(present)) {
          throw new ModelException(
              "%s takes '%s', but %s does not give '%s'; use the files of one export"
                  .formatted(steps.file(), past, prompt.file(), present));
        }
        out.addInput(steps.inputs().get(past));
        putBefore(past, computed(prompt, present), out);
      }
    }
    return prompt.withGraph(out.build());
  }

  /** What an output hands out. */
  private static String computed(OnnxGraph graph, String output) {
    String tensor = output;
    while (graph.producer(tensor) >= 0
        && graph.nodes().get(graph.producer(tensor)).getOpType().equals("Identity")) {
      tensor = Attributes.input(graph.nodes().get(graph.producer(tensor)), 0);
    }
    return tensor;
  }

  private static void putBefore(String past, String tensor, GraphProto.Builder out) {
    String fresh = "squint.fresh." + tensor;
    for (int i = 0; i < out.getNodeCount(); i++) {
      int place = out.getNode(i).getOutputList().indexOf(tensor);
      if (place >= 0) {
        out.setNode(i, out.getNode(i).toBuilder().setOutput(place, fresh));
      }
    }
    out.addNode(
        GraphNodes.node("Concat", List.of(past, fresh), tensor)
            .setName("squint.past." + past)
            .addAttribute(GraphNodes.integer("axis", TOKENS_AXIS)));
    for (int i = out.getValueInfoCount() - 1; i >= 0; i--) {
      if (out.getValueInfo(i).getName().equals(tensor)) {
        out.removeValueInfo(i);
      }
    }
  }
}
