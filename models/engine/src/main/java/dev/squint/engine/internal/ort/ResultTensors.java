package dev.squint.engine.internal.ort;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtSession;
import java.util.AbstractMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** The tensors that a run returned, by name, without a table of their own. */
final class ResultTensors extends AbstractMap<String, OnnxTensor> {

  private final OrtSession.Result result;

  /**
   * @param result holds tensors only
   */
  ResultTensors(OrtSession.Result result) {
    this.result = result;
  }

  @Override
  public OnnxTensor get(Object name) {
    return (OnnxTensor) result.get((String) name).orElse(null);
  }

  @Override
  public boolean containsKey(Object name) {
    return result.get((String) name).isPresent();
  }

  @Override
  public Set<Map.Entry<String, OnnxTensor>> entrySet() {
    Map<String, OnnxTensor> tensors = new HashMap<>();
    for (Map.Entry<String, OnnxValue> entry : result) {
      tensors.put(entry.getKey(), (OnnxTensor) entry.getValue());
    }
    return tensors.entrySet();
  }
}
