package dev.squint.cli.torture;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import dev.squint.fixtures.FileSums;
import dev.squint.onnx.split.ModelSplitter;
import dev.squint.onnx.split.SplitOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/** A decoder and its weights under every name that a split could write itself. */
final class SplitCampaign implements Campaign {

  private static final List<String> NAMES =
      List.of(
          "segment-00.onnx",
          "segment-01.onnx",
          "segment-02.onnx",
          "segment-99.onnx",
          "SEGMENT-00.ONNX",
          "manifest.json",
          "Manifest.json",
          "weights.data",
          "weights.data.part",
          ".squint-part",
          "sub/segment-00.onnx",
          "sub/manifest.json",
          "sub/weights.data",
          "manifest.json/weights",
          "segment-00.onnx/w",
          "decoder.onnx",
          "a b",
          "ä.data",
          "-rf",
          "w\nx");
  private static final int LAYERS = 4;

  private final Path graph;
  private final Path weights;

  SplitCampaign(Path model) {
    this.graph = model.resolve("onnx/decoder_model_merged.onnx");
    this.weights = model.resolve("onnx/decoder_model_merged.onnx_data");
  }

  @Override
  public Verdict run(long seed, Path work) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    Path source = Files.createDirectories(work.resolve("source"));
    Path decoder =
        source.resolve(
            random.nextBoolean() ? "segment-0" + random.nextInt(4) + ".onnx" : "decoder.onnx");
    try {
      write(random, source, decoder);
    } catch (IOException e) {
      // Two of the names are of one file and one folder.
      return Verdict.answered();
    }
    Map<String, String> before = FileSums.of(source);
    Path target = targets(random, work, source);
    Verdict verdict = Verdict.answered();
    for (int i = 0; i < 2; i++) {
      SplitOptions options = options(random);
      verdict =
          verdict.and(
              Verdict.of(
                  () ->
                      random.nextInt(4) == 0
                          ? ModelSplitter.splitCached(decoder, "", options, work.resolve("cache"))
                          : ModelSplitter.split(decoder, "", options, target)));
      if (!holds(FileSums.of(source), before)) {
        return new Verdict(Outcome.CHANGED, decoder + " into " + target + " with " + options);
      }
    }
    return verdict;
  }

  /** A target may lie in the source's folder; what was there has to be there as it was. */
  private static boolean holds(Map<String, String> now, Map<String, String> before) {
    return now.entrySet().containsAll(before.entrySet());
  }

  private static Path targets(SplittableRandom random, Path work, Path source) {
    List<Path> all =
        List.of(
            work.resolve("out"),
            work.resolve("out"),
            source.resolve("out"),
            source,
            source.resolve("sub"),
            work);
    return all.get(random.nextInt(all.size()));
  }

  private static SplitOptions options(SplittableRandom random) {
    Set<Integer> splits = new HashSet<>();
    for (int layer = 1; layer < LAYERS; layer++) {
      if (random.nextBoolean()) {
        splits.add(layer);
      }
    }
    return SplitOptions.at(splits)
        .givenPositions(random.nextBoolean())
        .copyWeights(random.nextBoolean())
        .replace(random.nextBoolean())
        .build();
  }

  /** Spreads the weights over files with the given names, or embeds them. */
  private void write(SplittableRandom random, Path source, Path decoder) throws IOException {
    ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(graph)).toBuilder();
    byte[] all = Files.readAllBytes(weights);
    boolean embeds = random.nextInt(4) == 0;
    int files = 1 + random.nextInt(3);
    String[] names = new String[files];
    for (int i = 0; i < files; i++) {
      names[i] = NAMES.get(random.nextInt(NAMES.size()));
      if (!embeds) {
        Path data = source.resolve(names[i]);
        Files.createDirectories(data.getParent());
        if (!data.equals(decoder)) {
          Files.write(data, all);
        }
      }
    }
    for (TensorProto.Builder weight : model.getGraphBuilder().getInitializerBuilderList()) {
      if (weight.getDataLocation() != TensorProto.DataLocation.EXTERNAL) {
        continue;
      }
      if (embeds) {
        embed(weight, all);
      } else {
        place(weight, names[random.nextInt(files)]);
      }
    }
    Files.write(decoder, model.build().toByteArray());
  }

  private static void place(TensorProto.Builder weight, String file) {
    for (StringStringEntryProto.Builder entry : weight.getExternalDataBuilderList()) {
      if (entry.getKey().equals("location")) {
        entry.setValue(file);
      }
    }
  }

  private static void embed(TensorProto.Builder weight, byte[] all) {
    int offset = 0;
    int length = 0;
    for (StringStringEntryProto entry : weight.getExternalDataList()) {
      switch (entry.getKey()) {
        case "offset" -> offset = Integer.parseInt(entry.getValue());
        case "length" -> length = Integer.parseInt(entry.getValue());
        default -> {
          // The location.
        }
      }
    }
    weight
        .clearExternalData()
        .clearDataLocation()
        .setRawData(ByteString.copyFrom(all, offset, length));
  }
}
