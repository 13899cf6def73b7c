package dev.squint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.condition.OS.LINUX;

import dev.squint.fixtures.FileSums;
import dev.squint.fixtures.Share;
import dev.squint.image.LoadMain;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.io.TempDir;

/** What is unpacked, in processes of its own: a damaged native library would end this one. */
@EnabledOnOs(LINUX)
class NativeLibrariesTest {

  @TempDir Path temp;

  private void load(String... arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "@" + Path.of("../../models/fixtures/java.args").toAbsolutePath(),
                "-Djava.io.tmpdir=" + Files.createDirectories(temp.resolve("tmp")),
                "-cp",
                System.getProperty("java.class.path"),
                LoadMain.class.getName()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).directory(temp.toFile());
    builder.environment().put("DJL_CACHE_DIR", temp.resolve("djl").toString());
    Process process = builder.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    assertThat(said.strip()).endsWith(LoadMain.LOADED);
  }

  /** Each file in one of the ways, with {@code -Pfull} in all. */
  @Test
  void whateverInTheCacheIsDamagedNoProcessEnds() throws Exception {
    Path cache = temp.resolve("cache");
    load(cache.toString());
    Map<String, String> whole = FileSums.of(cache);
    assertThat(whole.keySet())
        .anyMatch(file -> file.endsWith("/libonnxruntime.so"))
        .anyMatch(file -> file.endsWith("/libtokenizers.so"))
        .anyMatch(file -> file.endsWith("/libleptonica.so.6"))
        .anyMatch(file -> file.contains("/libopencv_java"))
        .anyMatch(file -> file.endsWith("/onnx/vision_encoder.onnx"));
    for (int turn = 0; turn < (Share.isWhole() ? Damage.values().length : 1); turn++) {
      int next = turn;
      for (String file : whole.keySet()) {
        Damage.values()[next++ % Damage.values().length].to(cache.resolve(file));
      }
      load(cache.toString());
      assertThat(FileSums.of(cache)).isEqualTo(whole);
    }
    assertThat(temp.resolve("djl")).doesNotExist();
  }

  /** Half of a file or nothing is left, the rest gone or zeros. */
  private enum Damage {
    HALF(50, false),
    HALF_ZEROED(50, true),
    EMPTY(0, false),
    ZEROED(0, true);

    private final int percent;
    private final boolean sameSize;

    Damage(int percent, boolean sameSize) {
      this.percent = percent;
      this.sameSize = sameSize;
    }

    void to(Path file) throws IOException {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        long size = channel.size();
        channel.truncate(size * percent / 100);
        if (sameSize) {
          channel.write(ByteBuffer.allocate(1), size - 1);
        }
      }
    }
  }

  @Test
  void withoutACacheOtherFoldersDo() throws Exception {
    load("/proc", "libraries only");
  }
}
