package dev.squint.hub;

import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.config.ModelFiles;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Which files of a repository are needed to ask its model. */
final class NeededFiles {

  /** What reads and configures: small, and the same for every precision. */
  private static final Pattern CONFIG =
      Pattern.compile(
          "[\\w.-]+\\.(?:json|jinja|txt|model|tiktoken)|additional_chat_templates/[\\w.-]+\\.jinja");

  /** Whole layouts whose graphs name each other in a file of their own. */
  private static final Pattern GENAI =
      Pattern.compile(
          "[\\w./-]+\\.(?:json|jinja|txt|model|tiktoken|onnx|onnx[._]data(?:_\\d+)?|data)");

  private NeededFiles() {}

  /**
   * Chooses them.
   *
   * @param repository its name, for messages
   * @param files what there is, by path
   * @param precision suffix of the graphs; empty for the most exact
   * @throws HubException if there is no exported model
   */
  static List<HubFile> of(String repository, Map<String, HubFile> files, String precision) {
    if (files.containsKey("genai_config.json") || files.containsKey("decoder/model.onnx")) {
      return those(files, files.keySet().stream().filter(p -> GENAI.matcher(p).matches()).toList());
    }
    List<String> graphs = ModelFiles.graphs(files.keySet(), precision);
    if (graphs.isEmpty()) {
      throw new HubException(
          Kind.BAD_REQUEST,
          "%s holds no exported model: no onnx/decoder_model_merged.onnx among its %d files; choose an ONNX export of the model, such as those of onnx-community"
              .formatted(repository, files.size()));
    }
    Set<String> paths =
        files.keySet().stream()
            .filter(path -> CONFIG.matcher(path).matches())
            .collect(Collectors.toCollection(TreeSet::new));
    paths.addAll(graphs);
    for (String path : files.keySet()) {
      if (graphs.stream().anyMatch(graph -> isDataOf(graph, path))) {
        paths.add(path);
      }
    }
    return those(files, List.copyOf(paths));
  }

  /** {@code model.onnx_data}, {@code model.onnx_data_1}, {@code model.onnx.data} and the like. */
  private static boolean isDataOf(String graph, String path) {
    return path.startsWith(graph) && path.substring(graph.length()).matches("[._]data(?:_\\d+)?");
  }

  private static List<HubFile> those(Map<String, HubFile> files, List<String> paths) {
    Map<String, HubFile> sorted = new TreeMap<>();
    paths.forEach(path -> sorted.put(path, files.get(path)));
    return List.copyOf(sorted.values());
  }
}
