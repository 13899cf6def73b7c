package dev.squint.evaluation.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.DataException;
import dev.squint.Squint;
import dev.squint.engine.options.ModelOptions;
import dev.squint.evaluation.data.MediaSource;
import dev.squint.evaluation.data.Sample;
import dev.squint.evaluation.internal.RunConfig;
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
class PeakMemoryProbeTest {

  private static final Path IMAGE = Path.of("../../examples/images/scene-01.png");

  private static final ModelOptions OPTIONS = ModelOptions.builder().threads(2).build();

  @TempDir private Path folder;

  private static RunConfig config(String spec, Optional<RunConfig.Grid> grid) {
    return new RunConfig(spec, spec, Strategies.parse(spec), OptionalDouble.empty(), 0, grid);
  }

  private static Sample sample(MediaSource medium) {
    return new Sample("0", medium, "how many objects are there?", List.of("2"), List.of(), "");
  }

  /** Images that no other process finds; those in files, a comparison on the command line has. */
  @Test
  void eachWayOfAskingIsMeasured() throws IOException {
    String inline = Base64.getEncoder().encodeToString(Files.readAllBytes(IMAGE));
    try (Squint squint = Squint.load()) {
      PeakMemoryProbe process = new PeakMemoryProbe(squint, OPTIONS, 8);
      long least = 60_000_000;
      assertThat(
              process.peakBytes(
                  config("none", Optional.of(new RunConfig.Grid(6, 6))),
                  sample(new MediaSource.InlineImage("row 1", inline))))
          .isGreaterThan(least);
      try (FileSystem archive =
          FileSystems.newFileSystem(folder.resolve("images.zip"), Map.of("create", "true"))) {
        Path packed = Files.copy(IMAGE, archive.getPath("/scene.png"));
        assertThat(
                process.peakBytes(
                    config("fastv:k=2,keep=0.5", Optional.empty()),
                    sample(new MediaSource.ImageFile(packed))))
            .isGreaterThan(least);
      }
    }
  }

  @Test
  void aProcessThatFailsSaysWhy() {
    try (Squint squint = Squint.load()) {
      PeakMemoryProbe process = new PeakMemoryProbe(squint, OPTIONS, 8);
      Sample missing = sample(new MediaSource.ImageFile(Path.of("images/nowhere.png")));
      assertThatThrownBy(() -> process.peakBytes(config("none", Optional.empty()), missing))
          .isInstanceOf(DataException.class)
          .hasMessageContaining("ended with code 1")
          .hasMessageContaining("nowhere.png");
    }
  }
}
