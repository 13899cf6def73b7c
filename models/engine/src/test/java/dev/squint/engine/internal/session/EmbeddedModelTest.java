package dev.squint.engine.internal.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.engine.TinyLlava;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.error.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Unpacking, on the fixture, which carries the same index as the embedded model. */
class EmbeddedModelTest {

  @TempDir Path cache;

  private static Path unpack(Path cache) {
    return new EmbeddedModel("tiny-llava").unpack(cache);
  }

  private List<Path> unpackedFolders() throws IOException {
    try (Stream<Path> folders = Files.list(cache.resolve("models"))) {
      return folders.toList();
    }
  }

  @Test
  void unpackedModelsRun() {
    Path folder = unpack(cache);
    assertThat(folder.getFileName().toString()).matches("tiny-llava-[0-9a-f]{12}");
    try (VisionLanguageModel model = VisionLanguageModel.open(folder, TinyLlava.options())) {
      assertThat(TinyLlava.answersAsPyTorchDoes(model)).isTrue();
    }
  }

  @Test
  void unpackingHappensOnce() throws IOException {
    Path config = unpack(cache).resolve("config.json");
    var written = Files.getLastModifiedTime(config);
    assertThat(unpack(cache).resolve("config.json")).isEqualTo(config);
    assertThat(Files.getLastModifiedTime(config)).isEqualTo(written);
    assertThat(unpackedFolders()).hasSize(1);
  }

  @Test
  void aDamagedFolderIsReplaced() throws IOException {
    Path folder = unpack(cache);
    Files.delete(folder.resolve("onnx/embed_tokens.onnx"));
    Files.writeString(folder.resolve("config.json"), "{}");
    assertThat(unpack(cache)).isEqualTo(folder);
    assertThat(folder.resolve("onnx/embed_tokens.onnx")).isNotEmptyFile();
    assertThat(Files.size(folder.resolve("config.json"))).isGreaterThan(2);
    assertThat(unpackedFolders()).hasSize(1);
  }

  @Test
  void unpackersAtTheSameTimeDoNotHurtEachOther() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try {
      List<Callable<Path>> calls = new ArrayList<>(Collections.nCopies(12, () -> unpack(cache)));
      Set<Path> folders = new HashSet<>();
      for (var call : pool.invokeAll(calls)) {
        folders.add(call.get());
      }
      assertThat(folders).hasSize(1);
    } finally {
      pool.shutdownNow();
    }
    assertThat(unpackedFolders()).hasSize(1);
  }

  @Test
  void aCacheThatCannotBeWrittenIsNamed() throws IOException {
    Path file = Files.writeString(cache.resolve("file"), "in the way");
    assertThatThrownBy(() -> unpack(file))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("squint.cache");
  }
}
