package dev.squint.onnx.internal.io;

import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.error.ModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One vector of a file of weights, read without the others: safetensors or NumPy's npy. */
public final class StoredVector {

  private static final int LONGEST_HEADER = 64 << 20;
  private static final int MOST_NUMBERS = 1 << 22;
  private static final int NUMPY_PREFIX = 10;

  /** The first four bytes, 0x93 and NUM. */
  private static final int NUMPY_MAGIC = 0x4d554e93;

  private static final int BF16_SHIFT = 16;
  private static final Pattern NUMPY =
      Pattern.compile(
          "\\{'descr': '<f([24])', 'fortran_order': (?:False|True), 'shape': \\((\\d{1,9}),\\), ?\\}\\s*");

  private StoredVector() {}

  /**
   * Reads a vector of a safetensors file.
   *
   * @param file the file
   * @param names what it may be called there
   * @return its numbers, or empty if there is none of these names
   * @throws ModelException if the file is damaged, or holds something else under such a name
   */
  public static Optional<float[]> ofSafetensors(Path file, List<String> names) {
    try (FileChannel channel = FileChannel.open(file)) {
      long length = read(channel, file, 0, Long.BYTES).getLong();
      if (length < 2 || length > LONGEST_HEADER || length > channel.size() - Long.BYTES) {
        throw damaged(file);
      }
      JsonNode header = JsonFile.tree(bytes(channel, file, Long.BYTES, (int) length));
      for (String name : names) {
        if (header.path(name).isObject()) {
          return Optional.of(tensor(channel, file, Long.BYTES + length, name, header.path(name)));
        }
      }
      return Optional.empty();
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static float[] tensor(
      FileChannel channel, Path file, long start, String name, JsonNode entry) throws IOException {
    String type = entry.path("dtype").asText();
    long from = entry.path("data_offsets").path(0).asLong(-1);
    long bytes = entry.path("data_offsets").path(1).asLong(-1) - from;
    int width = type.equals("F32") ? Float.BYTES : Short.BYTES;
    boolean known = List.of("F32", "F16", "BF16").contains(type);
    boolean vector =
        entry.path("shape").size() == 1
            && entry.path("shape").path(0).asLong(-1) * width == bytes
            && bytes / width <= MOST_NUMBERS;
    if (!known || !vector || from < 0) {
      throw new ModelException(
          "%s: '%s' is no vector of float32, float16 or bfloat16; use the file of this model"
              .formatted(file, Printable.of(name)));
    }
    return numbers(read(channel, file, start + from, (int) bytes), type);
  }

  /**
   * Reads the vector of a npy file.
   *
   * @throws ModelException if it holds anything but a vector of float32 or float16
   */
  public static float[] ofNumpy(Path file) {
    try (FileChannel channel = FileChannel.open(file)) {
      ByteBuffer prefix = read(channel, file, 0, NUMPY_PREFIX);
      int length = prefix.getShort(NUMPY_PREFIX - Short.BYTES) & 0xFFFF;
      byte[] header = bytes(channel, file, NUMPY_PREFIX, length);
      Matcher found = NUMPY.matcher(new String(header, StandardCharsets.ISO_8859_1));
      boolean numpy = prefix.getInt(0) == NUMPY_MAGIC;
      if (!numpy || !found.matches() || Integer.parseInt(found.group(2)) > MOST_NUMBERS) {
        throw new ModelException(
            file + " is no npy file of one vector of float32 or float16; save it with numpy.save");
      }
      int width = Integer.parseInt(found.group(1));
      int count = Integer.parseInt(found.group(2));
      return numbers(
          read(channel, file, NUMPY_PREFIX + (long) length, count * width),
          width == Float.BYTES ? "F32" : "F16");
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static float[] numbers(ByteBuffer bytes, String type) {
    boolean wide = type.equals("F32");
    float[] numbers = new float[bytes.remaining() / (wide ? Float.BYTES : Short.BYTES)];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] =
          wide
              ? bytes.getFloat()
              : type.equals("BF16")
                  ? Float.intBitsToFloat(bytes.getShort() << BF16_SHIFT)
                  : half(bytes.getShort());
    }
    return numbers;
  }

  /** The number that 16 bits are in IEEE's half precision. */
  private static float half(short bits) {
    int sign = (bits & 0x8000) << 16;
    int exponent = (bits >> 10) & 0x1F;
    int fraction = bits & 0x3FF;
    if (exponent == 0) {
      float small = fraction * 0x1p-24f;
      return sign == 0 ? small : -small;
    }
    int wide = exponent == 0x1F ? 0xFF : exponent - 15 + 127;
    return Float.intBitsToFloat(sign | wide << 23 | fraction << 13);
  }

  private static byte[] bytes(FileChannel channel, Path file, long from, int length)
      throws IOException {
    byte[] bytes = new byte[length];
    read(channel, file, from, length).get(bytes);
    return bytes;
  }

  private static ByteBuffer read(FileChannel channel, Path file, long from, int length)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, from + bytes.position()) < 0) {
        throw damaged(file);
      }
    }
    return bytes.flip();
  }

  private static ModelException damaged(Path file) {
    return new ModelException(file + " is cut short or damaged; download it again");
  }

  private static ModelException unreadable(Path file, IOException e) {
    return new ModelException(
        "%s cannot be read (%s); check its permissions".formatted(file, FileFailure.reason(e)), e);
  }
}
