package dev.squint.tokenizer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.BitSet;
import java.util.Deque;

/**
 * The table of a {@code Precompiled} normalizer, as SentencePiece writes it: the length of a double
 * array of 32-bit units, the array, and texts that end in zero, to which the leaves point. The
 * native library follows it without a look at its bounds, so each unit that can be reached is
 * looked at here.
 */
final class Charsmap {

  private static final int LARGEST = 1 << 22;
  private static final int LONGEST_TEXT = 64;

  private final int[] units;
  private final byte[] texts;

  private Charsmap(int[] units, byte[] texts) {
    this.units = units;
    this.texts = texts;
  }

  /**
   * Checks a table.
   *
   * @param base64 as the file has it
   * @throws IllegalArgumentException if it cannot be followed; the message says why
   */
  static void check(String base64) {
    if (base64.length() > LARGEST) {
      throw new IllegalArgumentException("is larger than %,d characters".formatted(LARGEST));
    }
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("is not Base64", e);
    }
    if (base64.length() % 4 != 0) {
      throw new IllegalArgumentException("is not Base64");
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long size = buffer.remaining() < 4 ? 0 : Integer.toUnsignedLong(buffer.getInt());
    if (size < 4 || size % 4 != 0 || size > buffer.remaining()) {
      throw new IllegalArgumentException("is cut short");
    }
    int[] units = new int[(int) (size / 4)];
    buffer.asIntBuffer().get(units);
    byte[] texts = new byte[buffer.remaining() - (int) size];
    buffer.position(buffer.position() + (int) size).get(texts);
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(texts));
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("has texts that are not UTF-8", e);
    }
    new Charsmap(units, texts).walk();
  }

  /**
   * A place in the array.
   *
   * @param base index from which its children are counted
   * @param plain whether the key so far holds printed ASCII, which a table may not delete
   */
  private record Place(int base, boolean plain) {}

  private void walk() {
    BitSet plainSeen = new BitSet(units.length);
    BitSet otherSeen = new BitSet(units.length);
    Deque<Place> open = new ArrayDeque<>();
    open.add(new Place(offset(units[0]), false));
    while (!open.isEmpty()) {
      Place place = open.remove();
      // Any byte may follow: the highest index is that of the end of its block.
      if ((place.base() | 0xff) >= units.length) {
        throw outside();
      }
      for (int label = 1; label < 256; label++) {
        int child = place.base() ^ label;
        if (label(units[child]) == label) {
          boolean plain = place.plain() || label > 0x20 && label < 0x7f;
          BitSet seen = plain ? plainSeen : otherSeen;
          if (!seen.get(child)) {
            seen.set(child);
            open.add(new Place(follow(child, plain), plain));
          }
        }
      }
    }
  }

  private int follow(int child, boolean plain) {
    int base = child ^ offset(units[child]);
    if (leaf(units[child])) {
      if (base >= units.length) {
        throw outside();
      }
      checkText(units[base] & Integer.MAX_VALUE, plain);
    }
    return base;
  }

  private static IllegalArgumentException outside() {
    return new IllegalArgumentException("leads out of its own table");
  }

  private void checkText(int start, boolean plain) {
    if (start > texts.length || start < texts.length && (texts[start] & 0xc0) == 0x80) {
      throw new IllegalArgumentException("points to no text of its own");
    }
    int end = start;
    while (end < texts.length && texts[end] != 0) {
      end++;
      if (end - start > LONGEST_TEXT) {
        throw new IllegalArgumentException(
            "writes more than %d bytes for a character".formatted(LONGEST_TEXT));
      }
    }
    String text = new String(texts, start, end - start, StandardCharsets.UTF_8);
    if (plain && (text.isEmpty() || text.chars().anyMatch(Charsmap::isSpace))) {
      throw new IllegalArgumentException("makes spaces of letters or deletes them");
    }
  }

  private static boolean isSpace(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c);
  }

  private static boolean leaf(int unit) {
    return (unit >>> 8 & 1) == 1;
  }

  private static int label(int unit) {
    return unit & (1 << 31 | 0xff);
  }

  private static int offset(int unit) {
    return (unit >>> 10) << ((unit & 1 << 9) >>> 6);
  }
}
