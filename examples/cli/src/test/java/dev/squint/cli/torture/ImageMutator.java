package dev.squint.cli.torture;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.zip.CRC32;

/**
 * Changes images by the parts that they are made of: chunks of PNG and WebP, segments of JPEG, tags
 * of TIFF, blocks of GIF, header fields of BMP and PNM. Checksums are made right again, since a
 * wrong one hides the rest.
 */
final class ImageMutator {

  private static final int PNG_SIGNATURE = 8;
  private static final int RIFF_HEADER = 12;
  private static final int TIFF_ENTRY = 12;
  private static final int BMP_HEADER = 54;
  private static final int GIF_HEADER = 13;

  private final RandomGenerator random;
  private final ByteMutator bytes;
  private final List<byte[]> others;

  ImageMutator(RandomGenerator random, List<byte[]> others) {
    this.random = random;
    this.bytes = new ByteMutator(random);
    this.others = others;
  }

  byte[] mutate(byte[] image) {
    byte[] changed = image;
    if (random.nextInt(3) > 0) {
      changed = structural(image);
    }
    return changed == image || random.nextInt(4) == 0 ? bytes.mutate(changed) : changed;
  }

  private byte[] structural(byte[] image) {
    if (image.length < BMP_HEADER) {
      return image;
    }
    return switch (image[0] & 0xFF) {
      case 0x89 -> png(image);
      case 0xFF -> jpeg(image);
      case 'R' -> webp(image);
      case 'B' -> bmp(image);
      case 'I', 'M' -> tiff(image);
      case 'G' -> gif(image);
      case 'P' -> pnm(image);
      default -> spliced(image);
    };
  }

  /** The beginning of one image and the end of another. */
  private byte[] spliced(byte[] image) {
    byte[] other = others.get(random.nextInt(others.size()));
    byte[] start = Arrays.copyOf(image, random.nextInt(image.length));
    return ByteMutator.inserted(
        start, start.length, Arrays.copyOfRange(other, random.nextInt(other.length), other.length));
  }

  /** Where parts begin; the last is the end of the data. */
  private List<Integer> pngChunks(byte[] data) {
    List<Integer> starts = new ArrayList<>();
    ByteBuffer buffer = ByteBuffer.wrap(data);
    int at = PNG_SIGNATURE;
    while (at + 12 <= data.length) {
      starts.add(at);
      long next = at + 12L + Integer.toUnsignedLong(buffer.getInt(at));
      if (next > data.length) {
        break;
      }
      at = (int) next;
    }
    starts.add(data.length);
    return starts;
  }

  private byte[] png(byte[] image) {
    List<Integer> chunks = pngChunks(image);
    byte[] changed = parts(image, chunks);
    if (changed == image) {
      int chunk = chunks.get(random.nextInt(chunks.size() - 1));
      int length = ByteBuffer.wrap(image).getInt(chunk);
      if (random.nextInt(4) == 0) {
        return ByteMutator.inserted(image, chunk, pngChunk());
      }
      if (length > 0) {
        changed = image.clone();
        int at = chunk + 8 + random.nextInt(length);
        if (random.nextBoolean() && at + 4 <= image.length) {
          ByteBuffer.wrap(changed).putInt(at, bytes.number());
        } else {
          changed[at] = (byte) random.nextInt(256);
        }
      }
    }
    return withChecksums(changed);
  }

  private byte[] pngChunk() {
    String[] types = {
      "IHDR", "IDAT", "PLTE", "tRNS", "eXIf", "IEND", "zTXt", "iCCP", "gAMA", "acTL", "quit", "CgBI"
    };
    byte[] type = types[random.nextInt(types.length)].getBytes(StandardCharsets.ISO_8859_1);
    byte[] body = new byte[type[0] == 'I' && type[1] == 'H' ? 13 : random.nextInt(2_000)];
    random.nextBytes(body);
    if (body.length == 13) {
      ByteBuffer.wrap(body)
          .putInt(bytes.number())
          .putInt(bytes.number())
          .put((byte) 8)
          .put((byte) 2)
          .put(new byte[3]);
    }
    return ByteBuffer.allocate(12 + body.length).putInt(body.length).put(type).put(body).array();
  }

  private byte[] withChecksums(byte[] image) {
    byte[] changed = image.clone();
    List<Integer> chunks = pngChunks(changed);
    ByteBuffer buffer = ByteBuffer.wrap(changed);
    for (int i = 0; i < chunks.size() - 1; i++) {
      int at = chunks.get(i);
      int length = buffer.getInt(at);
      if (length >= 0 && length <= changed.length - at - 12) {
        CRC32 crc = new CRC32();
        crc.update(changed, at + 4, length + 4);
        buffer.putInt(at + 8 + length, (int) crc.getValue());
      }
    }
    return changed;
  }

  /** Drops, doubles, moves or multiplies a part; the same array if the dice say otherwise. */
  private byte[] parts(byte[] image, List<Integer> starts) {
    if (starts.size() < 3) {
      return image;
    }
    int part = random.nextInt(starts.size() - 1);
    int from = starts.get(part);
    int to = starts.get(part + 1);
    byte[] content = Arrays.copyOfRange(image, from, to);
    int elsewhere = starts.get(random.nextInt(starts.size()));
    return switch (random.nextInt(8)) {
      case 0 -> ByteMutator.without(image, from, to);
      case 1, 2 -> ByteMutator.inserted(image, elsewhere, content);
      case 3 ->
          ByteMutator.inserted(
              ByteMutator.without(image, from, to),
              Math.min(elsewhere, image.length - content.length),
              content);
      case 4 -> {
        int copies = Math.min(1 << random.nextInt(14), (1 << 20) / Math.max(1, content.length));
        byte[] many = new byte[Math.max(1, copies) * content.length];
        for (int i = 0; i < many.length; i++) {
          many[i] = content[i % content.length];
        }
        yield ByteMutator.inserted(image, elsewhere, many);
      }
      default -> image;
    };
  }

  private byte[] jpeg(byte[] image) {
    List<Integer> starts = new ArrayList<>();
    int at = 2;
    while (at + 4 <= image.length && (image[at] & 0xFF) == 0xFF && (image[at + 1] & 0xFF) != 0xDA) {
      starts.add(at);
      at += 2 + ((image[at + 2] & 0xFF) << 8 | image[at + 3] & 0xFF);
    }
    starts.add(Math.min(at, image.length));
    byte[] changed = parts(image, starts);
    if (changed != image || starts.size() < 2) {
      return changed;
    }
    int start = starts.get(random.nextInt(starts.size() - 1));
    if (random.nextInt(5) == 0) {
      byte[] fill = new byte[1 << random.nextInt(18)];
      Arrays.fill(fill, (byte) (random.nextInt(4) == 0 ? 0 : 0xFF));
      return ByteMutator.inserted(image, start, fill);
    }
    changed = image.clone();
    int field = Math.min(image.length - 2, start + 1 + random.nextInt(16));
    if (random.nextBoolean()) {
      ByteBuffer.wrap(changed).putShort(field, (short) bytes.number());
    } else {
      changed[field] = (byte) random.nextInt(256);
    }
    return changed;
  }

  private byte[] webp(byte[] image) {
    List<Integer> starts = new ArrayList<>();
    ByteBuffer buffer = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    long at = RIFF_HEADER;
    while (at + 8 <= image.length) {
      starts.add((int) at);
      long length = Integer.toUnsignedLong(buffer.getInt((int) at + 4));
      at += 8 + length + (length & 1);
    }
    starts.add(image.length);
    byte[] changed = parts(image, starts);
    if (changed == image) {
      changed = image.clone();
      int field = 8 + random.nextInt(28);
      ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).putInt(field, bytes.number());
    }
    ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN).putInt(4, changed.length - 8);
    return changed;
  }

  private byte[] bmp(byte[] image) {
    byte[] changed = image.clone();
    ByteBuffer buffer = ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i <= random.nextInt(3); i++) {
      int field = 10 + 2 * random.nextInt((BMP_HEADER - 12) / 2);
      if (random.nextBoolean()) {
        buffer.putShort(
            field, (short) (random.nextBoolean() ? bytes.number() : random.nextInt(40)));
      } else {
        buffer.putInt(field, random.nextBoolean() ? bytes.number() : random.nextInt(200));
      }
    }
    return changed;
  }

  private byte[] tiff(byte[] image) {
    byte[] changed = image.clone();
    ByteOrder order = image[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
    ByteBuffer buffer = ByteBuffer.wrap(changed).order(order);
    int directory = buffer.getInt(4);
    if (directory < 8 || directory > image.length - 2) {
      return changed;
    }
    int count = Short.toUnsignedInt(buffer.getShort(directory));
    if (count == 0 || directory + 6L + (long) count * TIFF_ENTRY > image.length) {
      return changed;
    }
    int entry = directory + 2 + TIFF_ENTRY * random.nextInt(count);
    int other = directory + 2 + TIFF_ENTRY * random.nextInt(count);
    switch (random.nextInt(7)) {
      case 0 -> buffer.putShort(entry, (short) (254 + random.nextInt(80)));
      case 1 -> buffer.putShort(entry + 2, (short) random.nextInt(18));
      case 2 -> buffer.putInt(entry + 4, bytes.number());
      case 3 -> buffer.putInt(entry + 8, bytes.number());
      case 4 -> System.arraycopy(image, entry, changed, other, TIFF_ENTRY);
      case 5 ->
          buffer.putInt(
              directory + 2 + count * TIFF_ENTRY,
              random.nextBoolean() ? directory : bytes.number());
      default -> buffer.putShort(entry + 8, (short) random.nextInt(64));
    }
    return changed;
  }

  /** Where the blocks of a GIF file begin; the last is the end of the data. */
  private static List<Integer> gifBlocks(byte[] image) {
    List<Integer> starts = new ArrayList<>();
    int at = GIF_HEADER + ((image[10] & 0x80) != 0 ? 3 << (image[10] & 7) + 1 : 0);
    while (at + 10 < image.length && image[at] != ';') {
      starts.add(at);
      boolean frame = image[at] == ',';
      int flags = image[at + 9];
      at += frame ? 11 + ((flags & 0x80) != 0 ? 3 << (flags & 7) + 1 : 0) : 2;
      while (at < image.length && image[at] != 0) {
        at += 1 + (image[at] & 0xFF);
      }
      at++;
    }
    starts.add(Math.min(at, image.length));
    return starts;
  }

  private byte[] gif(byte[] image) {
    List<Integer> blocks = gifBlocks(image);
    byte[] changed = parts(image, blocks);
    if (changed != image) {
      return changed;
    }
    changed = image.clone();
    ByteBuffer buffer = ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN);
    int block = blocks.get(random.nextInt(blocks.size()));
    switch (random.nextInt(5)) {
      case 0 -> buffer.putShort(6 + 2 * random.nextInt(2), (short) side());
      case 1 -> changed[10 + random.nextInt(3)] = (byte) random.nextInt(256);
      case 2 -> {
        int field = Math.min(image.length - 2, block + 1 + 2 * random.nextInt(4));
        buffer.putShort(field, (short) side());
      }
      case 3 -> {
        int field = Math.min(image.length - 1, block + random.nextInt(14));
        changed[field] = (byte) random.nextInt(256);
      }
      default -> {
        byte[] extension = new byte[random.nextInt(600)];
        random.nextBytes(extension);
        if (extension.length > 2) {
          extension[0] = '!';
          extension[1] = (byte) (random.nextBoolean() ? 0xF9 : random.nextInt(256));
        }
        changed = ByteMutator.inserted(image, block, extension);
      }
    }
    return changed;
  }

  /** A number of pixels that a file of some bytes may have, or may not. */
  private int side() {
    return random.nextBoolean() ? random.nextInt(100) : bytes.number();
  }

  private byte[] pnm(byte[] image) {
    String start = new String(image, 0, Math.min(40, image.length), StandardCharsets.ISO_8859_1);
    String[] tokens = start.split("[ \n]", 5);
    if (tokens.length < 5) {
      return image;
    }
    int samples = start.length() - tokens[4].length();
    int token = random.nextInt(4);
    tokens[token] =
        switch (random.nextInt(6)) {
          case 0 -> "P" + random.nextInt(9);
          case 1 -> Integer.toString(bytes.number());
          case 2 -> tokens[token] + "#" + "x".repeat(random.nextInt(40)) + "\n";
          case 3 -> tokens[token] + "0".repeat(random.nextInt(30));
          case 4 -> "";
          default -> Integer.toString(random.nextInt(70_000));
        };
    String blank = random.nextInt(4) == 0 ? "\n\r\t" : " ";
    byte[] header =
        String.join(blank, Arrays.copyOf(tokens, 4))
            .concat(" ")
            .getBytes(StandardCharsets.US_ASCII);
    return ByteMutator.inserted(
        header, header.length, Arrays.copyOfRange(image, samples, image.length));
  }
}
