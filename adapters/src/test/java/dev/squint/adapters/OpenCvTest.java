package dev.squint.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.condition.OS.LINUX;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.io.TempDir;
import org.opencv.core.Core;

/** The native library, in processes of its own: a damaged one would end this one. */
@EnabledOnOs(LINUX)
class OpenCvTest {

  @TempDir Path temp;

  private void loads(Path cache) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-Djava.io.tmpdir=" + Files.createDirectories(temp.resolve("tmp")),
                "-cp",
                System.getProperty("java.class.path"),
                OpenCvMain.class.getName(),
                cache.toString())
            .redirectErrorStream(true)
            .directory(temp.toFile())
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    assertThat(said.strip()).endsWith(Core.VERSION);
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile).toList();
    }
  }

  @Test
  void aDamagedLibraryInTheCacheEndsNoProcess() throws Exception {
    Path cache = temp.resolve("cache");
    loads(cache);
    assertThat(files(cache)).hasSize(1);
    Path library = files(cache).get(0);
    long whole = Files.size(library);
    long[] lengths = {whole / 2, 0, 4096};
    for (long length : lengths) {
      try (FileChannel channel = FileChannel.open(library, StandardOpenOption.WRITE)) {
        channel.truncate(length);
      }
      loads(cache);
      assertThat(files(cache)).containsExactly(library);
      assertThat(library).hasSize(whole);
    }
    try (FileChannel channel = FileChannel.open(library, StandardOpenOption.WRITE)) {
      channel.truncate(whole / 2);
      channel.write(java.nio.ByteBuffer.allocate(1), whole - 1);
    }
    loads(cache);
    assertThat(files(temp.resolve("tmp"))).isEmpty();
  }

  @Test
  void withoutACacheTheTemporaryFolderDoes() throws Exception {
    loads(Path.of("/proc"));
  }
}
