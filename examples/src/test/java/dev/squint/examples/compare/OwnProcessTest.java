package dev.squint.examples.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.adapters.DataException;
import dev.squint.adapters.Squint;
import dev.squint.examples.data.Medium;
import dev.squint.examples.data.Sample;
import dev.squint.models.ExecutionProvider;
import dev.squint.models.ModelOptions;
import dev.squint.pruning.Strategies;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs(OS.LINUX)
class OwnProcessTest {

  private static final Path PICTURE = Path.of("images/scene-01.png");

  private static final ModelOptions OPTIONS =
      new ModelOptions(new ExecutionProvider.Cpu(), 2, ModelOptions.defaults().cacheFolder());

  @TempDir private Path folder;

  private static Cell cell(String spec, Optional<Cell.Grid> grid) {
    return new Cell(spec, spec, Strategies.parse(spec), OptionalDouble.empty(), 0, grid);
  }

  private static Sample sample(Medium medium) {
    return new Sample("0", medium, "how many objects are there?", List.of("2"), List.of(), "");
  }

  @Test
  void eachWayOfAskingIsMeasured() throws IOException {
    String inline = Base64.getEncoder().encodeToString(Files.readAllBytes(PICTURE));
    try (Squint squint = Squint.load()) {
      OwnProcess process = new OwnProcess(squint, OPTIONS, 8);
      Sample file = sample(new Medium.ImageFile(PICTURE));
      long least = 60_000_000;
      assertThat(process.peakBytes(cell("none", Optional.empty()), file)).isGreaterThan(least);
      assertThat(process.peakBytes(cell("fastv:k=2,keep=0.5", Optional.empty()), file))
          .isGreaterThan(least);
      assertThat(process.peakBytes(cell("none", Optional.of(new Cell.Grid(6, 6))), file))
          .isGreaterThan(least);
      assertThat(
              process.peakBytes(
                  cell("none", Optional.empty()), sample(new Medium.InlineImage("row 1", inline))))
          .isGreaterThan(least);
      try (FileSystem archive =
          FileSystems.newFileSystem(folder.resolve("pictures.zip"), Map.of("create", "true"))) {
        Path packed = Files.copy(PICTURE, archive.getPath("/scene.png"));
        assertThat(
                process.peakBytes(
                    cell("none", Optional.empty()), sample(new Medium.ImageFile(packed))))
            .isGreaterThan(least);
      }
    }
  }

  @Test
  void aProcessThatFailsSaysWhy() {
    try (Squint squint = Squint.load()) {
      OwnProcess process = new OwnProcess(squint, OPTIONS, 8);
      Sample missing = sample(new Medium.ImageFile(Path.of("images/nowhere.png")));
      assertThatThrownBy(() -> process.peakBytes(cell("none", Optional.empty()), missing))
          .isInstanceOf(DataException.class)
          .hasMessageContaining("ended with code 1")
          .hasMessageContaining("nowhere.png");
    }
  }
}
