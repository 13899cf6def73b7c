package dev.squint.cli.torture;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/** Changes bytes without knowing what they mean. */
record ByteMutator(RandomGenerator random) {

  private static final int[] NUMBERS = {
    0,
    1,
    -1,
    2,
    7,
    8,
    127,
    128,
    255,
    256,
    4096,
    32767,
    32768,
    65535,
    65536,
    1 << 24,
    1 << 30,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    100_000_000
  };
  private static final int MOST_COPIES = 64;

  /** A number that programs stumble over. */
  int number() {
    return NUMBERS[random.nextInt(NUMBERS.length)];
  }

  /** One to eight changes, fewer more often. */
  byte[] mutate(byte[] data) {
    byte[] changed = data.clone();
    int rounds = 1 + random.nextInt(1 + random.nextInt(8));
    for (int i = 0; i < rounds && changed.length > 0; i++) {
      changed = once(changed);
    }
    return changed;
  }

  private byte[] once(byte[] data) {
    int at = position(data.length);
    switch (random.nextInt(10)) {
      case 0 -> data[at] ^= (byte) (1 << random.nextInt(8));
      case 1, 2 -> data[at] = (byte) random.nextInt(256);
      case 3 -> data[at] = (byte) number();
      case 4 -> write(data, at, number(), 2);
      case 5 -> write(data, at, number(), 4);
      case 6 -> {
        return Arrays.copyOf(data, at);
      }
      case 7 -> {
        return without(data, at, Math.min(data.length, at + 1 + random.nextInt(MOST_COPIES)));
      }
      case 8 -> {
        int from = random.nextInt(data.length);
        int to = Math.min(data.length, from + 1 + random.nextInt(4 * MOST_COPIES));
        return inserted(data, at, Arrays.copyOfRange(data, from, to));
      }
      default -> {
        byte[] many = new byte[1 << random.nextInt(17)];
        Arrays.fill(many, (byte) number());
        return inserted(data, at, many);
      }
    }
    return data;
  }

  /** Headers are where most goes wrong, so half of all changes are near the beginning. */
  private int position(int length) {
    return random.nextBoolean() ? random.nextInt(length) : random.nextInt(Math.min(length, 256));
  }

  private void write(byte[] data, int at, int value, int width) {
    if (at + width > data.length) {
      return;
    }
    ByteBuffer buffer = ByteBuffer.wrap(data);
    buffer.order(random.nextBoolean() ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    if (width == 2) {
      buffer.putShort(at, (short) value);
    } else {
      buffer.putInt(at, value);
    }
  }

  static byte[] without(byte[] data, int from, int to) {
    byte[] rest = new byte[data.length - (to - from)];
    System.arraycopy(data, 0, rest, 0, from);
    System.arraycopy(data, to, rest, from, data.length - to);
    return rest;
  }

  static byte[] inserted(byte[] data, int at, byte[] more) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(data.length + more.length);
    out.write(data, 0, at);
    out.writeBytes(more);
    out.write(data, at, data.length - at);
    return out.toByteArray();
  }
}
