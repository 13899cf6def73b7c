package dev.squint.models.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.models.ModelException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Segments kept as files, by one process, by two at once, and by one that is killed. */
class SegmentCacheTest {

  private static final int ENTRIES = 300;

  @TempDir Path temp;

  private Process child(String job) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m",
            "-cp",
            System.getProperty("java.class.path"),
            SegmentCacheMain.class.getName(),
            temp.toString(),
            job,
            Integer.toString(ENTRIES))
        .redirectErrorStream(true)
        .start();
  }

  private List<Path> parts() throws IOException {
    Path folder = temp.resolve("segments");
    if (!Files.exists(folder)) {
      return List.of();
    }
    try (Stream<Path> tree = Files.walk(folder)) {
      return tree.filter(path -> path.toString().endsWith(".part")).toList();
    }
  }

  @Test
  void makesASegmentOnce() {
    SegmentCache cache = new SegmentCache(temp);
    SegmentCache.Key key = SegmentCacheMain.key(1);
    byte[] content = SegmentCacheMain.content(1);
    assertThat(cache.getOrCreate(key, () -> content)).isEqualTo(content);
    assertThat(cache.pathFor(key)).hasBinaryContent(content);
    assertThat(cache.getOrCreate(key, () -> new byte[0])).isEqualTo(content);
  }

  @Test
  void namesACacheThatCannotBeWritten() throws IOException {
    Path file = Files.createFile(temp.resolve("file"));
    SegmentCache cache = new SegmentCache(file);
    assertThatThrownBy(() -> cache.getOrCreate(SegmentCacheMain.key(1), () -> new byte[1]))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("choose another cache folder");
  }

  @Test
  void twoProcessesDoNotHurtEachOther() throws Exception {
    Process first = child("fill");
    Process second = child("fill");
    for (Process process : List.of(first, second)) {
      assertThat(new String(process.getInputStream().readAllBytes())).isEmpty();
      assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
      assertThat(process.exitValue()).isZero();
    }
    SegmentCache cache = new SegmentCache(temp);
    for (int i = 0; i < ENTRIES; i++) {
      assertThat(cache.pathFor(SegmentCacheMain.key(i)))
          .hasBinaryContent(SegmentCacheMain.content(i));
    }
    assertThat(parts()).isEmpty();
  }

  @Test
  void aKilledProcessLeavesAPartThatIsRemovedLater() throws Exception {
    Process writer = child("rewrite");
    List<Path> left = List.of();
    for (int attempt = 0; attempt < 50 && left.isEmpty(); attempt++) {
      while (parts().isEmpty()) {
        assertThat(writer.isAlive()).isTrue();
      }
      writer.destroyForcibly().waitFor();
      left = parts();
      if (left.isEmpty()) {
        writer = child("rewrite");
      }
    }
    assertThat(left).hasSize(1);
    SegmentCache cache = new SegmentCache(temp);
    SegmentCache.Key key = SegmentCacheMain.key(SegmentCacheMain.LARGE);
    byte[] content = SegmentCacheMain.content(SegmentCacheMain.LARGE);
    assertThat(cache.getOrCreate(key, () -> content)).isEqualTo(content);

    cache.getOrCreate(SegmentCacheMain.key(1), () -> new byte[1]);
    assertThat(parts()).isEqualTo(left);
    Files.setLastModifiedTime(left.get(0), FileTime.from(Instant.now().minusSeconds(3700)));
    cache.getOrCreate(SegmentCacheMain.key(2), () -> new byte[1]);
    assertThat(parts()).isEmpty();
  }

  @Test
  void keysTellGraphDataAndCutApart() throws IOException {
    Path file = temp.resolve("decoder_model_merged.onnx");
    for (String end : List.of("", "_data")) {
      try (InputStream in =
          getClass()
              .getResourceAsStream(
                  "/dev/squint/models/tiny-llava/onnx/decoder_model_merged.onnx" + end)) {
        Files.copy(in, temp.resolve(file.getFileName() + end));
      }
    }
    Path data = temp.resolve("decoder_model_merged.onnx_data");
    SegmentSpec spec = SegmentSpec.of(0, 2);
    SegmentSpec tapped = new SegmentSpec(0, 2, false, false, List.of(new Tap.Attention(1, false)));
    List<SegmentSpec> cuts = List.of(spec, SegmentSpec.of(0, 3), tapped);
    Set<SegmentCache.Key> keys = new HashSet<>(SegmentCache.Key.of(OnnxGraph.read(file), cuts));
    assertThat(SegmentCache.Key.of(OnnxGraph.read(file), cuts))
        .containsExactlyInAnyOrderElementsOf(keys);
    Files.setLastModifiedTime(data, FileTime.from(Instant.EPOCH));
    keys.addAll(SegmentCache.Key.of(OnnxGraph.read(file), List.of(spec)));
    Files.write(data, new byte[1], StandardOpenOption.APPEND);
    Files.setLastModifiedTime(data, FileTime.from(Instant.EPOCH));
    keys.addAll(SegmentCache.Key.of(OnnxGraph.read(file), List.of(spec)));
    assertThat(keys).hasSize(5);
  }
}
