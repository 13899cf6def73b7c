package dev.squint.onnx.internal.io;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.squint.error.ModelException;
import dev.squint.fixtures.FileSums;
import dev.squint.fixtures.Share;
import dev.squint.onnx.split.ModelSplitter;
import dev.squint.onnx.split.SplitOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever the files of a model are called, a split leaves each of them as it was. */
class SplitNamesTest {

  private static final Path EXPORTS = Path.of("../fixtures/data/exports");
  private static final Set<Integer> SPLITS = Set.of(1, 2);
  private static final Set<String> WRITTEN =
      Set.of("segment-00.onnx", "segment-01.onnx", "segment-02.onnx", "manifest.json");

  @TempDir Path temp;

  /** Where a model holds its weights. */
  private enum Role {
    DECODER("%s"),
    DATA_FILE("%s"),
    IN_SUBFOLDER("sub/%s"),
    DOTTED("./%s"),
    IN_FOLDER_OF_THE_NAME("%s/data.bin");

    private final String location;

    Role(String location) {
      this.location = location;
    }

    String location(String name) {
      return location.formatted(name);
    }

    /** The name that its link would have in the folder of a split. */
    String linked(String name) {
      return this == IN_SUBFOLDER ? "sub" : name;
    }

    Path write(Path folder, String name) throws IOException {
      if (this == DECODER) {
        return Files.copy(EXPORTS.resolve("llama-ts-eager-14/decoder.onnx"), folder.resolve(name));
      }
      Path export = EXPORTS.resolve("llama-external-one");
      Path data = folder.resolve(location(name));
      Files.createDirectories(data.getParent());
      Files.copy(export.resolve("decoder.onnx_data"), data);
      ModelProto.Builder model =
          ModelProto.parseFrom(Files.readAllBytes(export.resolve("decoder.onnx"))).toBuilder();
      for (TensorProto.Builder weight : model.getGraphBuilder().getInitializerBuilderList()) {
        for (StringStringEntryProto.Builder entry : weight.getExternalDataBuilderList()) {
          if (entry.getKey().equals("location")) {
            entry.setValue(location(name));
          }
        }
      }
      return Files.write(folder.resolve("decoder.onnx"), model.build().toByteArray());
    }
  }

  private static final List<String> NAMES =
      List.of(
          "segment-00.onnx",
          "segment-01.onnx",
          "segment-02.onnx",
          "segment-03.onnx",
          "segment-1000.onnx",
          "Segment-00.ONNX",
          "\u017fegment-00.onnx",
          "manifest.json",
          "MANIFEST.JSON",
          "weights.data",
          "Weights.Data",
          "weights.data.1.part",
          ".squint-lock",
          ".out.%s.squint-part".formatted(new UUID(0, 0)));

  static Stream<Arguments> names() {
    return Stream.of(Role.values())
        .flatMap(role -> NAMES.stream().map(name -> Arguments.of(role, name)));
  }

  @ParameterizedTest
  @MethodSource("names")
  void noFileOfTheModelIsChanged(Role role, String name) throws IOException {
    Path model = Files.createDirectory(temp.resolve("model"));
    Path decoder = role.write(model, name);
    Path out = temp.resolve("out");
    Path cache = temp.resolve("cache");
    Path nextToIt = model.resolve("parts");
    Map<String, String> before = FileSums.of(model);
    boolean collides = WRITTEN.stream().anyMatch(role.linked(name)::equalsIgnoreCase);
    for (boolean copy : new boolean[] {false, true}) {
      for (boolean force : new boolean[] {false, true}) {
        int way = (copy ? 2 : 0) + (force ? 1 : 0);
        if (!Share.has(way + role.ordinal() + NAMES.indexOf(name), 4)) {
          continue;
        }
        SplitOptions options = SplitOptions.at(SPLITS).copyWeights(copy).replace(force).build();
        List<Runnable> splits =
            List.of(
                () -> ModelSplitter.splitCached(decoder, "", options, cache),
                () -> ModelSplitter.split(decoder, "", options, out),
                () -> ModelSplitter.split(decoder, "", options, nextToIt));
        for (Runnable split : splits) {
          Optional<ModelException> refused = refused(split);
          if (copy || !collides) {
            assertThat(refused).isEmpty();
          } else {
            assertThat(refused.orElseThrow())
                .hasMessageContaining("a split writes a file of that name itself")
                .hasMessageContaining("--copy");
            assertThat(refused.get().getMessage().lines()).hasSize(1);
            assertThat(List.of(out, cache, nextToIt)).noneMatch(Files::exists);
          }
        }
      }
      assertThat(FileSums.of(model)).containsAllEntriesOf(before);
      for (Path written : List.of(out, nextToIt)) {
        WorkFolder.delete(written);
      }
      assertThat(FileSums.of(model)).isEqualTo(before);
    }
  }

  private static Optional<ModelException> refused(Runnable split) {
    try {
      split.run();
      return Optional.empty();
    } catch (ModelException e) {
      return Optional.of(e);
    }
  }
}
