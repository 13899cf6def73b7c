package dev.squint.engine.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/** The tasks that need a process of their own; each ends in one line of JSON. */
public final class BenchMain {

  private BenchMain() {}

  /** Runs the task named by the first argument. */
  public static void main(String[] arguments) throws IOException {
    String[] rest = Arrays.copyOfRange(arguments, 1, arguments.length);
    Path folder = Path.of(rest[0]);
    Map<String, ?> found =
        switch (arguments[0]) {
          case "split" -> SplitCost.measure(folder);
          case "memory" ->
              ResidentMemory.measure(
                  folder,
                  DecoderSizes.named(rest[1]),
                  SegmentChain.Split.valueOf(rest[2]),
                  Integer.parseInt(rest[3]),
                  Integer.parseInt(rest[4]));
          case "chains" ->
              PrefillTimes.ofCuts(
                  folder,
                  DecoderSizes.named(rest[1]),
                  SegmentChain.Split.valueOf(rest[2]),
                  Integer.parseInt(rest[3]),
                  Integer.parseInt(rest[4]),
                  Integer.parseInt(rest[5]));
          case "fastv" ->
              PrefillTimes.ofFastV(
                  new SyntheticModel(
                      folder, DecoderSizes.named(rest[1]), Integer.parseInt(rest[2])),
                  Integer.parseInt(rest[3]),
                  Double.parseDouble(rest[4]),
                  Integer.parseInt(rest[5]),
                  Integer.parseInt(rest[6]));
          case "strategies" ->
              StrategyMemory.measure(
                  new SyntheticModel(
                      folder, DecoderSizes.named(rest[1]), Integer.parseInt(rest[2])),
                  rest[3],
                  Integer.parseInt(rest[4]),
                  Integer.parseInt(rest[5]));
          case "everyStrategy" ->
              Answering.ofEveryStrategy(
                  folder,
                  Integer.parseInt(rest[1]),
                  Integer.parseInt(rest[2]),
                  Answering.numbers(rest[3]));
          case "opening" ->
              Answering.whileOpening(
                  new SyntheticModel(
                      folder, DecoderSizes.named(rest[1]), Integer.parseInt(rest[2])),
                  rest[3],
                  Integer.parseInt(rest[4]));
          case "shared" ->
              PrefillTimes.ofSharedMatrices(
                  folder,
                  DecoderSizes.named(rest[1]),
                  Integer.parseInt(rest[2]),
                  Integer.parseInt(rest[3]),
                  Integer.parseInt(rest[4]));
          case "decode" ->
              DecodeTimes.ofSegments(
                  new SyntheticModel(
                      folder, DecoderSizes.named(rest[1]), Integer.parseInt(rest[2])),
                  Integer.parseInt(rest[3]),
                  Integer.parseInt(rest[4]),
                  Integer.parseInt(rest[5]),
                  Integer.parseInt(rest[6]));
          case "growth" ->
              DecodeTimes.ofCaches(
                  folder,
                  DecoderSizes.named(rest[1]),
                  Integer.parseInt(rest[2]),
                  Integer.parseInt(rest[3]),
                  Integer.parseInt(rest[4]));
          case "cache" ->
              CacheMemory.measure(
                  new SyntheticModel(
                      folder, DecoderSizes.named(rest[1]), Integer.parseInt(rest[2])),
                  rest[3],
                  Integer.parseInt(rest[4]));
          default -> throw new IllegalArgumentException("no task '" + arguments[0] + "'");
        };
    System.out.println(new ObjectMapper().writeValueAsString(found));
  }
}
