package dev.squint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.fixtures.TestCache;
import dev.squint.image.RgbImageMain;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What came of {@link RgbImageMain}.
 *
 * @param lines a line for each file
 * @param grown kB by which its memory grew at most, 0 where the system does not tell
 * @param errors what it printed to standard error
 */
public record ImageProcess(List<String> lines, long grown, String errors) {

  public static ImageProcess run(Path folder, String heap, List<Path> files) throws Exception {
    Path out = folder.resolve("out.txt");
    Path errors = folder.resolve("errors.txt");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(heap, "@../../models/fixtures/java.args", "-Djava.awt.headless=true"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(RgbImageMain.class.getName(), TestCache.FOLDER.toString()));
    files.forEach(file -> command.add(file.toString()));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(errors.toFile());
    builder.environment().remove("OPENCV_LOG_LEVEL");
    Process process = builder.start();
    try {
      assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    assertThat(process.exitValue()).as(read(errors)).isZero();
    List<String> lines = Files.readAllLines(out);
    int last = lines.size() - 1;
    return new ImageProcess(lines.subList(0, last), Long.parseLong(lines.get(last)), read(errors));
  }

  private static String read(Path file) throws IOException {
    return Files.readString(file).replaceAll("(?m)^SLF4J.*\\R", "");
  }
}
