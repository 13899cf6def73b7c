package dev.squint;

import dev.squint.engine.request.TokenListener;
import dev.squint.tokenizer.IncrementalText;
import java.util.List;
import java.util.function.Consumer;

/**
 * The text of one answer as its tokens come: up to the first stop string, without the spaces around
 * it. What could be the beginning of a stop string or spaces at the end is held back. Belongs to
 * one thread.
 */
final class AnswerText implements TokenListener {

  private final IncrementalText decoder;
  private final List<String> stops;
  private final Consumer<? super String> pieces;
  private final StringBuilder held = new StringBuilder();
  private final StringBuilder spaces = new StringBuilder();
  private final StringBuilder text = new StringBuilder();
  private final int longest;
  private boolean stopped;

  AnswerText(IncrementalText decoder, List<String> stops, Consumer<? super String> pieces) {
    this.decoder = decoder;
    this.stops = stops;
    this.pieces = pieces;
    this.longest = stops.stream().mapToInt(String::length).max().orElse(0);
  }

  @Override
  public boolean onToken(long token) {
    take(decoder.add(token));
    return !stopped;
  }

  /** The whole text, after the last token. */
  String end() {
    if (!stopped) {
      take(decoder.end());
    }
    if (!stopped) {
      give(held.length());
    }
    return text.toString();
  }

  /** Whether a stop string ended it. */
  boolean isStopped() {
    return stopped;
  }

  private void take(String piece) {
    if (piece.isEmpty()) {
      return;
    }
    held.append(piece);
    int begin = -1;
    int end = Integer.MAX_VALUE;
    for (String stop : stops) {
      int at = held.indexOf(stop);
      if (at >= 0 && (at + stop.length() < end || at + stop.length() == end && at < begin)) {
        begin = at;
        end = at + stop.length();
      }
    }
    stopped = begin >= 0;
    give(stopped ? begin : held.length() - beginning());
  }

  /** How many of the last characters are how a stop string begins. */
  private int beginning() {
    for (int length = Math.min(held.length(), longest); length > 0; length--) {
      String last = held.substring(held.length() - length);
      if (stops.stream().anyMatch(stop -> stop.startsWith(last))) {
        return length;
      }
    }
    return 0;
  }

  private void give(int length) {
    spaces.append(held, 0, length);
    held.delete(0, length);
    int end = spaces.length();
    while (end > 0 && Character.isWhitespace(spaces.charAt(end - 1))) {
      end--;
    }
    int start = 0;
    while (text.length() == 0 && start < end && Character.isWhitespace(spaces.charAt(start))) {
      start++;
    }
    if (start < end) {
      String piece = spaces.substring(start, end);
      spaces.delete(0, end);
      text.append(piece);
      pieces.accept(piece);
    }
  }
}
