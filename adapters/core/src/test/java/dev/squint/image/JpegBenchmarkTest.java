package dev.squint.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.OperatingSystemMXBean;
import dev.squint.fixtures.TestCache;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.ForkJoinPool;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opencv.core.Core;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.Size;
import org.opencv.imgcodecs.Imgcodecs;
import org.opencv.imgproc.Imgproc;

/**
 * A JPEG of 12 megapixels, read, decoded and resized to 448x336 (bicubic), and the same by Pillow,
 * in turns: {@code mvn -Pbench -pl adapters/core -am test -Dtest=JpegBenchmarkTest}. Prints medians
 * and minima of milliseconds, wall clock and processor, and their ratios next to the bar; on all
 * cores, and on one.
 *
 * <p>Properties: {@code squint.bench.python} (python3), a Python with the Pillow of {@code
 * fixtures/requirements.txt}; {@code squint.bench.jpeg} another file; {@code squint.bench.rounds}
 * (31); {@code squint.bench.strict}.
 */
@Tag("bench")
class JpegBenchmarkTest {

  private static final int WIDTH = 448;
  private static final int HEIGHT = 336;
  private static final int WARM_UP = 10;
  private static final double BAR = 1.2;
  private static final String PYTHON = System.getProperty("squint.bench.python", "python3");

  @TempDir static Path folder;

  @BeforeAll
  static void loadOpenCv() {
    OpenCv.load(TestCache.FOLDER);
  }

  @Test
  void decodesAndResizesAlmostAsFastAsPillow() throws Exception {
    String given = System.getProperty("squint.bench.jpeg", "");
    Path file = given.isEmpty() ? photo() : Path.of(given);
    double onAllCores = compare(file, Runtime.getRuntime().availableProcessors());
    compare(file, 1);
    if (Boolean.getBoolean("squint.bench.strict")) {
      assertThat(onAllCores).isLessThanOrEqualTo(BAR);
    }
  }

  /** Smooth noise, of 3 MB. */
  private static Path photo() {
    Path file = folder.resolve("photo.jpg");
    Mat small = new Mat(300, 400, CvType.CV_8UC3);
    Mat large = new Mat();
    try {
      Core.randu(small, 0, 256);
      Imgproc.resize(small, large, new Size(4000, 3000), 0, 0, Imgproc.INTER_CUBIC);
      assertThat(Imgcodecs.imwrite(file.toString(), large)).isTrue();
    } finally {
      small.release();
      large.release();
    }
    return file;
  }

  /** Milliseconds of decoding, of resizing, of both, and of the processor, a row for each. */
  private static double compare(Path file, int cores) throws Exception {
    int rounds = Integer.getInteger("squint.bench.rounds", 31);
    double[][] java = new double[4][rounds];
    double[][] pillow = new double[4][rounds];
    ForkJoinPool pool = new ForkJoinPool(cores);
    Process python = python(file);
    try (BufferedReader answers = python.inputReader();
        OutputStream questions = python.getOutputStream()) {
      for (int round = -WARM_UP; round < rounds; round++) {
        double[] here = pool.submit(() -> decodeAndResize(file)).get();
        double[] there = ask(questions, answers);
        for (int i = 0; i < 4 && round >= 0; i++) {
          java[i][round] = here[i];
          pillow[i][round] = there[i];
        }
      }
    } finally {
      python.destroy();
      pool.shutdown();
    }
    String[] names = {"decoding", "resizing", "both", "processor"};
    for (int i = 0; i < 4; i++) {
      Arrays.sort(java[i]);
      Arrays.sort(pillow[i]);
      System.out.printf(
          Locale.ROOT,
          "%d core(s), %s: %.0f ms, Pillow %.0f, ratio %.2f; minima %.0f and %.0f, ratio %.2f%n",
          cores,
          names[i],
          java[i][rounds / 2],
          pillow[i][rounds / 2],
          java[i][rounds / 2] / pillow[i][rounds / 2],
          java[i][0],
          pillow[i][0],
          java[i][0] / pillow[i][0]);
    }
    double ratio = java[2][rounds / 2] / pillow[2][rounds / 2];
    System.out.printf(
        Locale.ROOT, "%d core(s): %.2f of Pillow's time, bar %.1f%n", cores, ratio, BAR);
    return ratio;
  }

  private static double[] decodeAndResize(Path file) {
    long work = processorNanos();
    long start = System.nanoTime();
    RgbImage image = RgbImage.decode(ImageInput.of(file));
    long decoded = System.nanoTime();
    Resampler.BICUBIC.resize(image, WIDTH, HEIGHT);
    long end = System.nanoTime();
    return new double[] {
      (decoded - start) / 1e6,
      (end - decoded) / 1e6,
      (end - start) / 1e6,
      (processorNanos() - work) / 1e6
    };
  }

  private static long processorNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static Process python(Path file) {
    try {
      Process process =
          new ProcessBuilder(
                  PYTHON,
                  "fixtures/time_jpeg.py",
                  file.toString(),
                  Integer.toString(WIDTH),
                  Integer.toString(HEIGHT))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      return process;
    } catch (IOException e) {
      assumeTrue(false, withoutPython());
      throw new IllegalStateException(e);
    }
  }

  private static double[] ask(OutputStream questions, BufferedReader answers) {
    try {
      questions.write('\n');
      questions.flush();
      String answer = answers.readLine();
      assumeTrue(answer != null, withoutPython());
      double[] times = Arrays.stream(answer.split(" ")).mapToDouble(Double::parseDouble).toArray();
      return new double[] {times[0], times[1], times[0] + times[1], times[2]};
    } catch (IOException e) {
      assumeTrue(false, withoutPython());
      throw new IllegalStateException(e);
    }
  }

  private static String withoutPython() {
    return PYTHON
        + " with Pillow cannot be run; name one by -Dsquint.bench.python, after pip install -r"
        + " adapters/core/fixtures/requirements.txt";
  }
}
