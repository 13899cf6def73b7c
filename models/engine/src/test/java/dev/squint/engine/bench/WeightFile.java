package dev.squint.engine.bench;

import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;

/**
 * One external data file, written as tensors are asked for. Large tensors begin at multiples of 64
 * KiB, as exporters lay them out for memory mapping.
 */
final class WeightFile implements AutoCloseable {

  /** What the file is filled with. */
  enum Content {
    /** Normal with deviation 0.02; norms are ones. */
    RANDOM,
    /** Nothing: the file is one hole as long as the weights would be. */
    SPARSE
  }

  private static final int POOL_FLOATS = 1_048_573; // prime, so that no two rows are alike
  private static final float DEVIATION = 0.02f;
  private static final int ALIGNMENT = 1 << 16;
  private static final int ALIGNED_FROM = 1 << 20;

  private final String name;
  private final FileChannel channel;
  private final Content content;
  private final TensorProto.DataType type;
  private final Random random = new Random(7);
  private final ByteBuffer pool;
  private long position;

  WeightFile(Path file, Content content, TensorProto.DataType type) throws IOException {
    if (content == Content.RANDOM && type != TensorProto.DataType.FLOAT) {
      throw new IllegalArgumentException("random weights are written as float32 only");
    }
    this.name = file.getFileName().toString();
    this.content = content;
    this.type = type;
    this.channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE,
            StandardOpenOption.SPARSE);
    this.pool = content == Content.RANDOM ? normals() : ByteBuffer.allocate(0);
  }

  private ByteBuffer normals() {
    ByteBuffer buffer =
        ByteBuffer.allocateDirect(POOL_FLOATS * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      buffer.putFloat((float) random.nextGaussian() * DEVIATION);
    }
    return buffer.flip();
  }

  /** A tensor of random normals. */
  TensorProto random(String tensor, long... dimensions) {
    TensorProto proto = place(tensor, type, dimensions);
    if (content == Content.RANDOM) {
      long bytes = bytes(type, dimensions);
      long start = position - bytes;
      ByteBuffer source = pool.duplicate();
      source.position(random.nextInt(POOL_FLOATS) * Float.BYTES);
      for (long left = bytes; left > 0; left -= source.remaining()) {
        if (left < bytes) {
          source.clear();
        }
        source.limit((int) Math.min(source.capacity(), source.position() + left));
        write(source.duplicate(), start + bytes - left);
      }
    }
    return proto;
  }

  /** A tensor of random bytes. */
  TensorProto bytes(String tensor, long... dimensions) {
    TensorProto proto = place(tensor, TensorProto.DataType.UINT8, dimensions);
    if (content == Content.RANDOM) {
      byte[] values = new byte[Math.toIntExact(bytes(TensorProto.DataType.UINT8, dimensions))];
      random.nextBytes(values);
      write(ByteBuffer.wrap(values), position - values.length);
    }
    return proto;
  }

  /** A tensor of the same number everywhere. */
  TensorProto constant(String tensor, float value, int length) {
    TensorProto proto = place(tensor, type, length);
    if (content == Content.RANDOM) {
      float[] values = new float[length];
      Arrays.fill(values, value);
      write(floats(values), position - bytes(type, length));
    }
    return proto;
  }

  /** A tensor of given numbers. */
  TensorProto of(String tensor, float[] values, long... dimensions) {
    TensorProto proto = place(tensor, type, dimensions);
    if (content == Content.RANDOM) {
      write(floats(values), position - bytes(type, dimensions));
    }
    return proto;
  }

  private static ByteBuffer floats(float[] values) {
    ByteBuffer buffer =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    buffer.asFloatBuffer().put(values);
    return buffer;
  }

  private TensorProto place(String tensor, TensorProto.DataType kind, long... dimensions) {
    long bytes = bytes(kind, dimensions);
    if (bytes >= ALIGNED_FROM) {
      position = (position + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
    TensorProto.Builder proto =
        TensorProto.newBuilder()
            .setName(tensor)
            .setDataType(kind.getNumber())
            .setDataLocation(TensorProto.DataLocation.EXTERNAL)
            .addExternalData(entry("location", name))
            .addExternalData(entry("offset", Long.toString(position)))
            .addExternalData(entry("length", Long.toString(bytes)));
    Arrays.stream(dimensions).forEach(proto::addDims);
    position += bytes;
    return proto.build();
  }

  private static long bytes(TensorProto.DataType kind, long... dimensions) {
    long elements = Arrays.stream(dimensions).reduce(1, Math::multiplyExact);
    return switch (kind) {
      case FLOAT -> elements * Float.BYTES;
      case UINT8 -> elements;
      default -> elements * Short.BYTES;
    };
  }

  private void write(ByteBuffer buffer, long at) {
    try {
      long next = at;
      while (buffer.hasRemaining()) {
        next += channel.write(buffer, next);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  /** Bytes of all tensors so far, gaps of the alignment included. */
  long length() {
    return position;
  }

  @Override
  public void close() throws IOException {
    try (channel) {
      if (position > channel.size()) {
        channel.write(ByteBuffer.wrap(new byte[1]), position - 1);
      }
    }
  }
}
