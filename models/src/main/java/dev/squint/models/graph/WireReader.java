package dev.squint.models.graph;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;

/**
 * Walks the fields of protobuf messages in a file without reading what it is told to skip
 * (<cite>Protocol Buffers, Encoding</cite>). Nothing is allocated before the bytes it is for are
 * known to be in the file.
 */
final class WireReader {

  private static final int BUFFER = 1 << 16;
  private static final int VARINT_BYTES = 10;
  private static final long MAX_KEY = 0xffffffffL;

  private final RandomAccessFile file;
  private final long size;
  private long left;
  private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER).limit(0);
  private long bufferStart;

  /**
   * @param file the file, which the caller closes
   * @param most how many bytes may be copied in all
   */
  WireReader(RandomAccessFile file, long most) throws IOException {
    this.file = file;
    this.size = file.length();
    this.left = most;
  }

  long size() {
    return size;
  }

  /** Bytes from the beginning of the file to the next one. */
  long position() {
    return bufferStart + buffer.position();
  }

  private byte next() throws IOException {
    if (!buffer.hasRemaining()) {
      bufferStart += buffer.position();
      buffer.clear().limit(0);
      file.seek(bufferStart);
      int count = file.read(buffer.array());
      if (count <= 0) {
        throw cutOff();
      }
      buffer.limit(count);
    }
    return buffer.get();
  }

  long varint() throws IOException {
    long value = 0;
    for (int i = 0; i < VARINT_BYTES; i++) {
      byte part = next();
      value |= (long) (part & 0x7f) << 7 * i;
      if (part >= 0) {
        return value;
      }
    }
    throw new InvalidProtocolBufferException("a number is too long");
  }

  /** The key of a field: its number and its wire type. */
  int key() throws IOException {
    long key = varint();
    if (key < 8 || key > MAX_KEY) {
      throw new InvalidProtocolBufferException("a field has no number");
    }
    return (int) key;
  }

  /**
   * The length of a field that ends no later than the message around it.
   *
   * @param end position where that message ends
   */
  long length(long end) throws IOException {
    long length = varint();
    if (length < 0 || length > end - position()) {
      throw cutOff();
    }
    return length;
  }

  private static InvalidProtocolBufferException cutOff() {
    return new InvalidProtocolBufferException("the file ends early");
  }

  void skip(long length) {
    if (length <= buffer.remaining()) {
      buffer.position(buffer.position() + (int) length);
    } else {
      bufferStart = position() + length;
      buffer.limit(0);
    }
  }

  private void copy(long length, ByteArrayOutputStream to) throws IOException {
    left -= length;
    if (left < 0) {
      throw new InvalidProtocolBufferException(
          "it holds more besides raw weights than is read; keep its weights as external data");
    }
    long missing = length;
    while (missing > 0) {
      to.write(next());
      int chunk = (int) Math.min(missing - 1, buffer.remaining());
      to.write(buffer.array(), buffer.position(), chunk);
      buffer.position(buffer.position() + chunk);
      missing -= chunk + 1;
    }
  }

  /**
   * Copies a field whose key has been read.
   *
   * @param key the key
   * @param end position where the message around the field ends
   * @param to takes key and value
   */
  void copyField(int key, long end, ByteArrayOutputStream to) throws IOException {
    switch (WireFormat.getTagWireType(key)) {
      case WireFormat.WIRETYPE_VARINT -> {
        writeVarint(key & MAX_KEY, to);
        writeVarint(varint(), to);
      }
      case WireFormat.WIRETYPE_FIXED64 -> copyFixed(key, Long.BYTES, end, to);
      case WireFormat.WIRETYPE_FIXED32 -> copyFixed(key, Integer.BYTES, end, to);
      case WireFormat.WIRETYPE_LENGTH_DELIMITED -> copyBytes(key, length(end), to);
      default -> throw new InvalidProtocolBufferException("a field is of no known kind");
    }
    if (position() > end) {
      throw cutOff();
    }
  }

  /** Copies a field of bytes whose key and length have been read. */
  void copyBytes(int key, long length, ByteArrayOutputStream to) throws IOException {
    writeVarint(key & MAX_KEY, to);
    writeVarint(length, to);
    copy(length, to);
  }

  private void copyFixed(int key, int length, long end, ByteArrayOutputStream to)
      throws IOException {
    if (length > end - position()) {
      throw cutOff();
    }
    writeVarint(key & MAX_KEY, to);
    copy(length, to);
  }

  private static void writeVarint(long value, ByteArrayOutputStream to) {
    long left = value;
    while ((left & ~0x7fL) != 0) {
      to.write((int) (left & 0x7f | 0x80));
      left >>>= 7;
    }
    to.write((int) left);
  }
}
