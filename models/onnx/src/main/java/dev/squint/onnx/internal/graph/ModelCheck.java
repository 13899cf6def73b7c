package dev.squint.onnx.internal.graph;

import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import dev.squint.error.ModelException;
import dev.squint.onnx.internal.io.Printable;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Whether a model consists of one graph whose operators have a version.
 *
 * <p>Functions of a model's own are refused. ONNX Runtime writes their bodies into the graph before
 * it checks them, and one that calls itself ends the process; nor could layers be found in them.
 * Exporters write them on demand only, and can put them into the graph.
 *
 * @param file the file, for messages
 */
public record ModelCheck(Path file) {

  /** Far above what there will be; what is beyond is damaged, not new. */
  private static final long HIGHEST_VERSION = 1000;

  /** The newest IR version and opset that the ONNX Runtime of this build reads. */
  public static final int NEWEST_IR = 13;

  public static final int NEWEST_OPSET = 26;

  /**
   * Checks all of a model but its graph.
   *
   * @return the model with its graph and what is needed to read it, without training and notes
   * @throws ModelException if it has no graph, functions of its own, or no opset
   */
  ModelProto checked(ModelProto model) {
    if (!model.hasGraph() || model.getGraph().getOutputCount() == 0) {
      throw new ModelException(
          file + " holds no ONNX graph: export the model again or download the file again");
    }
    if (model.getFunctionsCount() > 0) {
      FunctionProto first = model.getFunctions(0);
      throw new ModelException(
          "%s has functions of its own, such as '%s', which are not supported; export it with its functions inlined (onnx.inliner.inline_local_functions)"
              .formatted(file, Printable.of(first.getName())));
    }
    if (model.getIrVersion() < 0 || model.getIrVersion() > HIGHEST_VERSION) {
      throw new ModelException(
          "%s says that it is of IR version %d, which ONNX does not have; the file is damaged, export it again"
              .formatted(file, model.getIrVersion()));
    }
    if (model.getIrVersion() > NEWEST_IR) {
      throw new ModelException(
          "%s is of IR version %d, but ONNX Runtime reads up to %d; export it again for an older IR version and opset"
              .formatted(file, model.getIrVersion(), NEWEST_IR));
    }
    checkOpsets(model);
    return model.toBuilder().clearTrainingInfo().clearMetadataProps().clearDocString().build();
  }

  private void checkOpsets(ModelProto model) {
    Map<String, Long> versions = new HashMap<>();
    for (OperatorSetIdProto opset : model.getOpsetImportList()) {
      String domain = opset.getDomain().equals("ai.onnx") ? "" : opset.getDomain();
      long version = opset.getVersion();
      Long other = versions.putIfAbsent(domain, version);
      if (version < 0
          || version > HIGHEST_VERSION && domain.isEmpty()
          || other != null && other != version) {
        throw new ModelException(
            "%s says that it is written in opset %d of '%s', which cannot be; the file is damaged, export it again"
                .formatted(file, version, Printable.of(opset.getDomain())));
      }
    }
    if (versions.getOrDefault("", 0L) > NEWEST_OPSET) {
      throw new ModelException(
          "%s is written in opset %d, but ONNX Runtime reads up to %d; export it again for an older IR version and opset (opset_version=%d)"
              .formatted(file, versions.get(""), NEWEST_OPSET, NEWEST_OPSET));
    }
    if (versions.getOrDefault("", 0L) == 0) {
      throw new ModelException(
          "%s does not say which opset of ONNX it is written in; export it again".formatted(file));
    }
  }
}
