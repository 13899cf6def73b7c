package dev.squint.image;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Goes through the compressed samples of an ordinary JPEG file, Huffman code by Huffman code,
 * without decoding them: a fraction of the time of a decoder. It knows sequential files with one
 * scan; of any other, and of one with any slip, it says that it is not sure.
 */
final class JpegScan {

  private static final VarHandle EIGHT_BYTES =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final long LOW_BITS = 0x0101010101010101L;
  private static final long HIGH_BITS = LOW_BITS << 7;

  private static final int TABLES = 4;
  private static final int MOST_BLOCKS = 10;
  private static final int LONGEST_SYMBOL = 32;
  private static final int COEFFICIENTS = 64;

  private final byte[] data;
  private final int end;
  private final Codes[] dc = new Codes[TABLES];
  private final Codes[] ac = new Codes[TABLES];
  private final boolean[] quantized = new boolean[TABLES];
  private int interval;

  /** Where the frame and its components are, 0 before one is met. */
  private int frame;

  private int at = 2;
  private long bits;
  private int count;

  private JpegScan(byte[] data, int end) {
    this.data = data;
    this.end = end;
  }

  /**
   * Whether the file surely holds all samples and nothing else up to its end marker.
   *
   * @param data a file whose segments were found sound
   * @param jpeg what they say
   */
  static boolean isWhole(byte[] data, Jpeg jpeg) {
    try {
      return new JpegScan(data, jpeg.end()).isWhole(jpeg.width(), jpeg.height());
    } catch (IndexOutOfBoundsException e) {
      return false;
    }
  }

  private boolean isWhole(int width, int height) {
    while (at < end) {
      int marker = unsigned(at + 1);
      int content = at + 4;
      int next = at + 2 + number(at + 2);
      boolean known =
          switch (marker) {
            case 0xC0, 0xC1 -> {
              frame = content;
              yield true;
            }
            case 0xC4 -> codes(content, next);
            case 0xDB -> quantization(content, next);
            case 0xDD -> {
              interval = number(content);
              yield true;
            }
            case 0xDA -> {
              at = next;
              yield scan(content, width, height);
            }
            default -> marker == 0xFE || marker >= 0xE0 && marker <= 0xEF;
          };
      if (!known || marker == 0xDA) {
        return known;
      }
      at = next;
    }
    return false;
  }

  private boolean quantization(int from, int stop) {
    int table = from;
    while (table < stop) {
      int kind = unsigned(table);
      if ((kind >> 4) > 1 || (kind & 15) >= TABLES) {
        return false;
      }
      quantized[kind & 15] = true;
      table += 1 + COEFFICIENTS * (1 + (kind >> 4));
    }
    return table == stop;
  }

  private boolean codes(int from, int stop) {
    int table = from;
    while (table < stop) {
      int kind = unsigned(table);
      if ((kind & 15) >= TABLES || (kind >> 4) > 1) {
        return false;
      }
      Codes codes = new Codes((kind >> 4) == 0);
      int symbols = codes.read(data, table + 1);
      if (symbols < 0) {
        return false;
      }
      ((kind >> 4) == 0 ? dc : ac)[kind & 15] = codes;
      table += 17 + symbols;
    }
    return table == stop;
  }

  private boolean scan(int content, int width, int height) {
    int components = frame == 0 ? 0 : unsigned(frame + 5);
    if (components != 1 && components != 3 || unsigned(content) != components) {
      return false;
    }
    Codes[][] blocks = new Codes[MOST_BLOCKS][];
    int size = 0;
    int across = 1;
    int down = 1;
    for (int i = 0; i < components; i++) {
      int component = frame + 6 + 3 * i;
      int selector = content + 1 + 2 * i;
      int horizontal = unsigned(component + 1) >> 4;
      int vertical = unsigned(component + 1) & 15;
      int tables = unsigned(selector + 1);
      Codes first = dc[tables >> 4];
      Codes others = ac[tables & 15];
      int area = components == 1 ? 1 : horizontal * vertical;
      if (unsigned(component) != unsigned(selector)
          || first == null
          || others == null
          || !quantized[unsigned(component + 2)]
          || !isFactor(horizontal)
          || !isFactor(vertical)
          || size + area > MOST_BLOCKS) {
        return false;
      }
      for (int k = 0; k < area; k++) {
        blocks[size++] = new Codes[] {first, others};
      }
      if (components > 1) {
        across = Math.max(across, horizontal);
        down = Math.max(down, vertical);
      }
    }
    int units = ceil(width, 8 * across) * ceil(height, 8 * down);
    for (int unit = 0; unit < units; unit++) {
      if (interval > 0 && unit > 0 && unit % interval == 0 && !restart(unit / interval - 1)) {
        return false;
      }
      for (int i = 0; i < size; i++) {
        if (!block(blocks[i][0], blocks[i][1])) {
          return false;
        }
      }
    }
    return isAtMarker() && at == end;
  }

  /** Others do not divide each other, which decoders do not take. */
  private static boolean isFactor(int factor) {
    return factor == 1 || factor == 2 || factor == 4;
  }

  private boolean restart(int before) {
    if (!isAtMarker() || unsigned(at + 1) != 0xD0 + before % 8) {
      return false;
    }
    at += 2;
    bits = 0;
    count = 0;
    return true;
  }

  /** Whether only the rest of a byte is left before the next marker. */
  private boolean isAtMarker() {
    fill();
    return count < 8 && unsigned(at) == 0xFF && unsigned(at + 1) != 0;
  }

  /** Whether all codes of a block are there. */
  private boolean block(Codes first, Codes others) {
    Codes codes = first;
    long rest = bits;
    int left = count;
    int coefficient = 0;
    while (coefficient < COEFFICIENTS) {
      if (left < LONGEST_SYMBOL) {
        bits = rest;
        count = left;
        fill();
        rest = bits;
        left = count;
      }
      int step = codes.several(rest);
      if (coefficient + (step >> 8 & 0xFF) >= COEFFICIENTS) {
        step = codes.find(rest);
      }
      int length = step & 0xFF;
      rest <<= length;
      left -= length;
      coefficient += step >> 8;
      codes = others;
    }
    bits = rest;
    count = left;
    return left >= 0 && (coefficient == COEFFICIENTS || coefficient >= Codes.END_OF_BLOCK);
  }

  /** At least as many bits as a symbol can have, unless a marker comes before. */
  private void fill() {
    if (at + 8 <= end) {
      long eight = (long) EIGHT_BYTES.get(data, at);
      long inverse = ~eight;
      if (((inverse - LOW_BITS) & eight & HIGH_BITS) == 0 && count >= 0) {
        bits |= eight >>> count;
        at += (63 - count) >>> 3;
        count |= 56;
        return;
      }
    }
    while (count < 56 && count >= 0) {
      int value = unsigned(at);
      if (value == 0xFF) {
        if (unsigned(at + 1) != 0) {
          return;
        }
        at++;
      }
      bits |= (long) value << (56 - count);
      count += 8;
      at++;
    }
  }

  private static int ceil(int value, int step) {
    return (value + step - 1) / step;
  }

  private int unsigned(int index) {
    return data[index] & 0xFF;
  }

  private int number(int index) {
    return unsigned(index) << 8 | unsigned(index + 1);
  }

  /** A table of Huffman codes. */
  private static final class Codes {

    /** More coefficients than any other symbols of a block tell together. */
    static final int END_OF_BLOCK = 1 << 8;

    private static final int QUICK = 11;
    private static final int LONGEST = 16;

    /** Between these, so that it ends a block and is told from its end. */
    private static final int UNKNOWN = (COEFFICIENTS + 16) << 8;

    private static final int MOST_SYMBOLS = 256;
    private static final int LARGEST_DC = 11;
    private static final int LARGEST_AC = 10;

    private final boolean isDc;
    private final int[] quick = new int[1 << QUICK];
    private final int[] several = new int[1 << QUICK];
    private final int[] steps = new int[MOST_SYMBOLS];
    private final int[] first = new int[LONGEST + 1];
    private final int[] firstSymbol = new int[LONGEST + 1];
    private final int[] number = new int[LONGEST + 1];

    Codes(boolean isDc) {
      this.isDc = isDc;
    }

    /** The number of symbols of the table that begins there; -1 if it is no table. */
    int read(byte[] data, int from) {
      Arrays.fill(quick, UNKNOWN);
      int code = 0;
      int symbols = 0;
      for (int length = 1; length <= LONGEST; length++) {
        number[length] = data[from + length - 1] & 0xFF;
        first[length] = code;
        firstSymbol[length] = symbols;
        if (symbols + number[length] > MOST_SYMBOLS) {
          return -1;
        }
        for (int i = 0; i < number[length]; i++) {
          int symbol = data[from + LONGEST + symbols] & 0xFF;
          if (isDc && symbol > LARGEST_DC) {
            return -1;
          }
          steps[symbols] = step(symbol, length);
          if (length <= QUICK) {
            int start = code << (QUICK - length);
            for (int k = start; k < start + (1 << (QUICK - length)) && k < quick.length; k++) {
              quick[k] = steps[symbols];
            }
          }
          symbols++;
          code++;
        }
        if (number[length] > 0 && code >= 1 << length) {
          return -1;
        }
        code <<= 1;
      }
      Arrays.setAll(several, this::together);
      return symbols;
    }

    /** One step of all symbols that are whole in some bits and of the same block. */
    private int together(int bits) {
      int all = 0;
      int step = quick[bits];
      while (step != UNKNOWN && (all & 0xFF) + (step & 0xFF) <= QUICK) {
        all += step;
        if (isDc || step >> 8 == END_OF_BLOCK) {
          return all;
        }
        step = quick[bits << (all & 0xFF) & (several.length - 1)];
      }
      return all == 0 ? step : all;
    }

    /** How many coefficients a symbol tells, and in the lowest byte how many bits it has. */
    private int step(int symbol, int length) {
      int size = symbol & 15;
      int zeros = symbol >> 4;
      if (isDc) {
        return 1 << 8 | (length + symbol);
      }
      if (size == 0) {
        return zeros == 15 ? 16 << 8 | length : zeros == 0 ? END_OF_BLOCK << 8 | length : UNKNOWN;
      }
      return size > LARGEST_AC ? UNKNOWN : (zeros + 1) << 8 | (length + size);
    }

    /** The step of as many codes of a block as are known by the first bits. */
    int several(long bits) {
      return several[(int) (bits >>> (64 - QUICK))];
    }

    /** The step of the code that some bits begin with. */
    int find(long bits) {
      int step = quick[(int) (bits >>> (64 - QUICK))];
      for (int length = QUICK + 1; step == UNKNOWN && length <= LONGEST; length++) {
        int code = (int) (bits >>> (64 - length)) - first[length];
        if (code >= 0 && code < number[length]) {
          step = steps[firstSymbol[length] + code];
        }
      }
      return step;
    }
  }
}
