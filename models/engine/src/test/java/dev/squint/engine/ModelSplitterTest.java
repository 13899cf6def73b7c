package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.error.ModelException;
import dev.squint.fixtures.FileSums;
import dev.squint.fixtures.Share;
import dev.squint.onnx.internal.io.WorkFolder;
import dev.squint.onnx.split.ModelSplitter;
import dev.squint.onnx.split.SplitOptions;
import dev.squint.pruning.observe.Observe;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Folders of written segments: whole or not there, whatever happens to them. */
class ModelSplitterTest {

  private static final Path EXPORTS = Path.of("..", "fixtures", "data", "exports");

  @TempDir Path temp;

  private static SplitOptions at(Set<Integer> splits) {
    return SplitOptions.at(splits).build();
  }

  @Test
  void whatCannotBeSplitIsSaidAndNothingIsLeft() throws IOException {
    Path decoder = EXPORTS.resolve("llama-ts-eager-14").resolve("decoder.onnx");
    Path out = temp.resolve("parts");
    refused("choose 1..3", decoder, at(Set.of(0)), out);
    refused("choose 1..3", decoder, at(Set.of(4)), out);
    refused(
        "a tap in layer 7",
        decoder,
        SplitOptions.at(Set.of(1)).taps(List.of(Observe.keys(7))).build(),
        out);
    refused(
        "has not an input 'inputs_embeds'",
        EXPORTS.resolve("vision-clip-dyn-18/vision.onnx"),
        at(Set.of(1)),
        out);
    refused("no such model", temp.resolve("absent"), at(Set.of(1)), out);
    Path file = Files.writeString(temp.resolve("file"), "in the way");
    refused("exists", decoder, at(Set.of(1)), file);
    refused("cannot be written", decoder, at(Set.of(1)), file.resolve("below"));
    try (var left = Files.list(temp)) {
      assertThat(left).containsExactly(file);
    }
  }

  private static void refused(String sentence, Path model, SplitOptions options, Path out) {
    assertThatThrownBy(() -> ModelSplitter.split(model, "", options, out))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(sentence);
  }

  @Test
  void aFolderIsReplacedOnlyWhenAsked() {
    Path decoder = EXPORTS.resolve("llama-ts-eager-14").resolve("decoder.onnx");
    Path out = temp.resolve("parts");
    ModelSplitter.split(decoder, "", at(Set.of(1)), out);
    refused("exists", decoder, at(Set.of(1, 2)), out);
    ModelSplitter.split(decoder, "", SplitOptions.at(Set.of(1, 2)).replace(true).build(), out);
    assertThat(out.resolve("segment-02.onnx")).exists();
  }

  @Test
  void theCacheKnowsModelAndSplits() throws IOException {
    Path model = Files.createDirectory(temp.resolve("model"));
    Path export = EXPORTS.resolve("llama-external-one");
    for (String file : List.of("decoder.onnx", "decoder.onnx_data")) {
      Files.copy(export.resolve(file), model.resolve(file));
    }
    Path decoder = model.resolve("decoder.onnx");
    Path first = ModelSplitter.splitCached(decoder, "", at(Set.of(1)), temp);
    FileTime written = Files.getLastModifiedTime(first.resolve("segment-00.onnx"));
    assertThat(ModelSplitter.splitCached(decoder, "", at(Set.of(1)), temp)).isEqualTo(first);
    assertThat(Files.getLastModifiedTime(first.resolve("segment-00.onnx"))).isEqualTo(written);
    assertThat(ModelSplitter.splitCached(decoder, "", at(Set.of(2)), temp)).isNotEqualTo(first);
    Files.setLastModifiedTime(model.resolve("decoder.onnx_data"), FileTime.from(Instant.EPOCH));
    assertThat(ModelSplitter.splitCached(decoder, "", at(Set.of(1)), temp)).isNotEqualTo(first);
  }

  private enum Harm {
    CUT_SHORT {
      @Override
      void to(Path file) throws IOException {
        Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 100));
      }
    },
    ZEROED {
      @Override
      void to(Path file) throws IOException {
        Files.write(file, new byte[(int) Files.size(file)]);
      }
    },
    DELETED {
      @Override
      void to(Path file) throws IOException {
        Files.delete(file);
      }
    },
    A_FOLDER {
      @Override
      void to(Path file) throws IOException {
        Files.delete(file);
        Files.createDirectory(file);
      }
    };

    abstract void to(Path file) throws IOException;
  }

  @ParameterizedTest
  @EnumSource(Harm.class)
  void aCachedSplitThatWasHarmedIsWrittenAgain(Harm harm) throws IOException {
    Path decoder = EXPORTS.resolve("llama-ts-eager-14").resolve("decoder.onnx");
    SplitOptions options = SplitOptions.at(Set.of(1)).copyWeights(true).build();
    Path split = ModelSplitter.splitCached(decoder, "", options, temp);
    Map<String, String> whole = FileSums.of(split);
    whole.remove("manifest.json");
    List<String> files =
        List.of("segment-00.onnx", "segment-01.onnx", "weights.data", "manifest.json");
    for (String name : Share.of(files, harm.ordinal(), Harm.values().length).toList()) {
      harm.to(split.resolve(name));
      assertThat(ModelSplitter.splitCached(decoder, "", options, temp)).isEqualTo(split);
      assertThat(split.resolve("manifest.json")).isRegularFile();
      assertThat(FileSums.of(split)).containsAllEntriesOf(whole).hasSize(whole.size() + 1);
      assertThat(written(true)).isEmpty();
    }
    WorkFolder.delete(split);
    Files.createDirectory(split);
    ModelSplitter.splitCached(decoder, "", options, temp);
    assertThat(FileSums.of(split)).containsAllEntriesOf(whole);
  }

  private Process child() throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m",
            "@../../models/fixtures/java.args",
            "-cp",
            System.getProperty("java.class.path"),
            SplitMain.class.getName(),
            EXPORTS.resolve("llama-ts-eager-14").resolve("decoder.onnx").toString(),
            temp.toString())
        .redirectErrorStream(true)
        .start();
  }

  private List<Path> written(boolean hidden) throws IOException {
    Path folder = temp.resolve("segments");
    if (!Files.exists(folder)) {
      return List.of();
    }
    try (var folders = Files.list(folder)) {
      return folders.filter(f -> f.getFileName().toString().startsWith(".") == hidden).toList();
    }
  }

  private void everySplitIsWhole() throws IOException {
    for (Path split : written(false)) {
      JsonNode manifest = new ObjectMapper().readTree(split.resolve("manifest.json").toFile());
      for (JsonNode segment : manifest.get("segments")) {
        assertThat(split.resolve(segment.get("file").asText())).isNotEmptyFile();
      }
    }
  }

  @Test
  void processesAtTheSameCacheDoNotHurtEachOther() throws Exception {
    Process first = child();
    Process second = child();
    for (Process process : List.of(first, second)) {
      assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
          .doesNotContain("Exception");
      assertThat(process.waitFor()).isZero();
    }
    assertThat(written(false)).hasSize(SplitMain.SPLITS.size());
    assertThat(written(true)).isEmpty();
    everySplitIsWhole();
  }

  @Test
  void aKilledSplitLeavesNothingHalfWritten() throws Exception {
    for (int attempt = 0; attempt < 2; attempt++) {
      Process process = child();
      while (written(true).isEmpty() && written(false).isEmpty() && process.isAlive()) {
        LockSupport.parkNanos(200_000);
      }
      process.destroyForcibly().waitFor();
      everySplitIsWhole();
    }
    Path left =
        Files.createDirectories(
            temp.resolve("segments").resolve(".killed." + UUID.randomUUID() + ".squint-part"));
    Files.setLastModifiedTime(left, FileTime.from(Instant.now().minusSeconds(3700)));
    Path decoder = EXPORTS.resolve("llama-ts-eager-14").resolve("decoder.onnx");
    ModelSplitter.splitCached(
        decoder,
        "",
        SplitOptions.at(Set.of(1)).givenPositions(true).copyWeights(true).replace(true).build(),
        temp);
    assertThat(left).doesNotExist();
    assertThat(written(true)).isEmpty();
  }
}
