package dev.squint.engine.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnx.proto.OnnxMl.TensorProto;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A 7B decoder is split without its 13 GB of weights being read or copied. */
class LargeSplitTest {

  private static final long GIGABYTE = 1_000_000_000L;
  private static final long MEGABYTE = 1_000_000L;
  private static final int PROBE = 64 << 20;

  @TempDir Path temp;

  @ParameterizedTest
  @EnumSource(names = {"DECOMPOSED", "FUSED"})
  void splitsAtEveryLayerInSecondsAndMegabytes(SyntheticDecoder.Encoding encoding)
      throws IOException, InterruptedException {
    assumeTrue(
        holesCostNothing(),
        "the file system of " + temp + " has no sparse files to stand for 13 GB");
    Files.createDirectories(temp.resolve("onnx"));
    long weights =
        SyntheticDecoder.write(
            SyntheticModel.decoder(temp),
            DecoderSizes.LLAMA_7B,
            encoding,
            WeightFile.Content.SPARSE,
            TensorProto.DataType.FLOAT16);
    assertThat(weights).isGreaterThan(13 * GIGABYTE);
    JsonNode cost = ChildJvm.run("512m", "split", temp.toString());
    System.out.println("7B split, " + encoding + ": " + cost);
    assertThat(cost.get("segments").asInt()).isEqualTo(32);
    assertThat(cost.get("millis").asLong()).isLessThan(5_000);
    assertThat(cost.get("bytes").asLong()).isLessThan(10 * MEGABYTE);
    assertThat(cost.get("heapPeakBytes").asLong()).isLessThan(512 * MEGABYTE);
  }

  /** Asks {@code du}; where there is none, sparse files are not relied on. */
  private boolean holesCostNothing() throws IOException, InterruptedException {
    Path probe = temp.resolve("probe");
    try (FileChannel channel =
        FileChannel.open(
            probe,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE,
            StandardOpenOption.SPARSE)) {
      channel.write(ByteBuffer.allocate(1), PROBE);
    }
    try {
      Process du = new ProcessBuilder("du", "-k", probe.toString()).start();
      String output = new String(du.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return du.waitFor(10, TimeUnit.SECONDS)
          && du.exitValue() == 0
          && Long.parseLong(output.split("\\s")[0]) < PROBE / 1024 / 8;
    } catch (IOException | NumberFormatException e) {
      return false;
    } finally {
      Files.delete(probe);
    }
  }
}
