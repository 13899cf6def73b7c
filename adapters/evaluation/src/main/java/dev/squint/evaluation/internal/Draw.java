package dev.squint.evaluation.internal;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;

/** Draws of questions: a larger one begins with the smaller one of the same seed. */
public final class Draw {

  private Draw() {}

  /**
   * Draws.
   *
   * @param available questions that there are
   * @param limit how many at most; empty for all
   * @param seed what the draw starts from
   * @return places of questions, each once
   */
  public static int[] of(int available, OptionalInt limit, long seed) {
    List<Integer> places = new ArrayList<>(IntStream.range(0, available).boxed().toList());
    Collections.shuffle(places, new Random(seed));
    return places.stream().limit(limit.orElse(available)).mapToInt(Integer::intValue).toArray();
  }
}
