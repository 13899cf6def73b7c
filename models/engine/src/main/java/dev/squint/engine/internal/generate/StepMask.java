package dev.squint.engine.internal.generate;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.TensorScope;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.Optional;

/**
 * The attention mask of a step, all ones: it grows within what was set aside for it, and segments
 * whose caches are of one length share it.
 */
final class StepMask implements AutoCloseable {

  private static final int FURTHER_TOKENS = 256;

  private final TensorScope owner;
  private LongBuffer ones = LongBuffer.allocate(0);
  private Optional<OnnxTensor> last = Optional.empty();
  private int length;

  StepMask(TensorScope owner) {
    this.owner = owner;
  }

  /** Int64 {@code [1, tokens]}; there until one of another length is asked for. */
  OnnxTensor of(int tokens) {
    if (last.isPresent() && length == tokens) {
      return last.get();
    }
    if (ones.capacity() < tokens) {
      ones =
          ByteBuffer.allocateDirect((tokens + FURTHER_TOKENS) * Long.BYTES)
              .order(ByteOrder.nativeOrder())
              .asLongBuffer();
      while (ones.hasRemaining()) {
        ones.put(1);
      }
    }
    close();
    last = Optional.of(owner.longs(ones.clear().limit(tokens), 1, tokens));
    length = tokens;
    return last.get();
  }

  @Override
  public void close() {
    owner.close();
    last = Optional.empty();
  }
}
