package dev.squint.overlay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.fixtures.TestCache;
import dev.squint.image.OpenCv;
import dev.squint.image.RgbImage;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.trace.SiteTrace;
import dev.squint.pruning.trace.Timings;
import dev.squint.pruning.trace.Trace;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class OverlayTest {

  @TempDir static Path folder;

  @BeforeAll
  static void loadOpenCv() {
    OpenCv.load(TestCache.FOLDER);
  }

  private static Trace trace(SiteTrace... sites) {
    return Trace.of("test", "test")
        .prompt(10, 4)
        .sites(List.of(sites))
        .tokensPerLayer(10)
        .visionFlops(1)
        .prefillFlops(1, 1)
        .decodeFlops(1, 1)
        .timings(new Timings(0, 0, 1, 1, 1, 1, 1))
        .kvBytes(1, 1)
        .build();
  }

  private static BufferedImage draw(Trace trace) throws IOException {
    byte[] rgb = new byte[3 * 16 * 16];
    Arrays.fill(rgb, (byte) 200);
    byte[] png = new Overlay(2, 2).draw(new RgbImage(16, 16, rgb), trace);
    return ImageIO.read(new ByteArrayInputStream(png));
  }

  private static int red(BufferedImage image, int x, int y) {
    return image.getRGB(x, y) >> 16 & 0xFF;
  }

  @Test
  void droppedPatchesAreDimmedAndKeptOnesAreNot() throws IOException {
    BufferedImage image =
        draw(
            trace(
                new SiteTrace(
                    new Site.AfterVision(), List.of(), 4, 2, new int[] {1, 2}, new float[0], 1)));
    assertThat(image.getWidth()).isEqualTo(960);
    assertThat(image.getHeight()).isEqualTo(480);
    assertThat(red(image, 120, 120)).isEqualTo(44);
    assertThat(red(image, 360, 120)).isEqualTo(200);
    assertThat(red(image, 120, 360)).isEqualTo(200);
    assertThat(red(image, 360, 360)).isEqualTo(44);
    assertThat(image.getRGB(480 + 120, 120)).isEqualTo(0xFF000000);
    assertThat(image.getRGB(480 + 360, 120)).isEqualTo(0xFFFFFFFF);
  }

  @Test
  void scoresMakeTheHeatMapAndTheLastSiteDims() throws IOException {
    BufferedImage image =
        draw(
            trace(
                new SiteTrace(
                    new Site.BeforeLayer(1),
                    List.of(),
                    4,
                    3,
                    new int[] {0, 1, 2},
                    new float[] {4, 3, 3, 1},
                    1),
                new SiteTrace(
                    new Site.BeforeLayer(2), List.of(), 3, 1, new int[] {0}, new float[0], 1)));
    assertThat(red(image, 120, 120)).isEqualTo(200);
    assertThat(red(image, 360, 120)).isEqualTo(44);
    int best = image.getRGB(480 + 120, 120);
    int middle = image.getRGB(480 + 360, 120);
    assertThat(middle).isEqualTo(image.getRGB(480 + 120, 360)).isNotEqualTo(best);
    assertThat(image.getRGB(480 + 360, 360)).isNotIn(best, middle);
  }

  @Test
  void scoresOfALaterSiteLieWhereItsPatchesAre() throws IOException {
    BufferedImage image =
        draw(
            trace(
                new SiteTrace(
                    new Site.AfterVision(), List.of(), 4, 2, new int[] {1, 3}, new float[0], 1),
                new SiteTrace(
                    new Site.BeforeLayer(2),
                    List.of(),
                    2,
                    1,
                    new int[] {3},
                    new float[] {1, 9},
                    1)));
    int low = image.getRGB(480 + 360, 120);
    assertThat(image.getRGB(480 + 360, 360)).isNotEqualTo(low);
    assertThat(image.getRGB(480 + 120, 120)).isEqualTo(low);
    assertThat(image.getRGB(480 + 120, 360)).isEqualTo(low);
  }

  @Test
  void originsOfMergedTokensAreNotDimmed() throws IOException {
    BufferedImage image =
        draw(
            trace(
                new SiteTrace(
                    new Site.BeforeLayer(2),
                    List.of(),
                    4,
                    2,
                    new int[] {3},
                    new int[] {0},
                    new float[0],
                    1)));
    assertThat(red(image, 120, 120)).isEqualTo(200);
    assertThat(red(image, 360, 360)).isEqualTo(200);
    assertThat(red(image, 360, 120)).isEqualTo(44);
  }

  @Test
  void withoutSitesNothingIsDimmed() throws IOException {
    BufferedImage image = draw(trace());
    assertThat(red(image, 120, 120)).isEqualTo(200);
    assertThat(red(image, 360, 360)).isEqualTo(200);
  }

  @Test
  void targetsThatCannotBeWrittenAreRefusedAtOnce() {
    Path missing = folder.resolve("missing");
    assertRefused(folder.resolve("a.gif"), "name a file ending in .png");
    assertRefused(missing.resolve("a.png"), "there is no folder " + missing + "; create it first");
  }

  @Test
  void aFolderIsNoTarget() throws IOException {
    assertRefused(
        Files.createDirectory(folder.resolve("folder.png")), "it is a folder; name a file");
  }

  private static void assertRefused(Path target, String why) {
    assertThatThrownBy(() -> OverlayFile.check(target))
        .isInstanceOf(OverlayException.class)
        .hasMessage("cannot write the overlay " + target + ": " + why);
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void whoMayReadItIsAsForAnyOtherFile() throws IOException {
    Path plain = Files.write(folder.resolve("plain.png"), new byte[1]);
    Path target = folder.resolve("drawn.png");
    OverlayFile.write(target, new byte[1]);
    assertThat(Files.getPosixFilePermissions(target))
        .isEqualTo(Files.getPosixFilePermissions(plain));
  }

  @Test
  void writingReplacesTheFileAndLeavesNothingElse() throws IOException {
    Path alone = Files.createDirectory(folder.resolve("alone"));
    Path target = Files.writeString(alone.resolve("a.png"), "old");
    OverlayFile.write(target, "new".getBytes(StandardCharsets.UTF_8));
    assertThat(target).hasContent("new");
    try (Stream<Path> files = Files.list(alone)) {
      assertThat(files).containsExactly(target);
    }
  }

  /** The process may not write files as long as it wants to, which looks like a full disk to it. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void anOverlayThatDoesNotFitIsNotHalfWritten(@TempDir Path out) throws Exception {
    Path target = Files.writeString(out.resolve("it.png"), "older");
    Process process =
        new ProcessBuilder(
                "sh",
                "-c",
                "ulimit -f 9; exec \"$@\"",
                "sh",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@../../models/fixtures/java.args",
                "-XX:-UsePerfData",
                "-Dslf4j.internal.verbosity=ERROR",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                OverlayMain.class.getName(),
                target.toString())
            .redirectErrorStream(true)
            .start();
    assertThat(process.inputReader().lines())
        .containsExactly(
            "cannot write the overlay " + target + " (File too large): choose another folder");
    assertThat(process.waitFor()).isZero();
    assertThat(target).hasContent("older");
    assertThat(out.toFile().list()).containsExactly("it.png");
  }
}
