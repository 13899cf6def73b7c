package dev.squint.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.squint.error.ModelException;
import dev.squint.onnx.internal.graph.OnnxGraph;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;

/** A real export, bytes changed or cut off, is read or refused; nothing else happens. */
class DamagedFileTest {

  private static final String NAME = "decoder_model_merged.onnx";

  private record Flip(double place, int bits) {}

  private record Outcome(OnnxGraph graph, ModelException refusal) {}

  private static byte[] fixture(String name) throws IOException {
    try (InputStream stream =
        DamagedFileTest.class.getResourceAsStream("/tiny-llava/onnx/" + name)) {
      return stream.readAllBytes();
    }
  }

  private static Outcome read(byte[] content) throws IOException {
    Path folder = Files.createTempDirectory("damaged");
    Path file = folder.resolve(NAME);
    Path data = folder.resolve(NAME + "_data");
    try {
      Files.write(file, content);
      Files.write(data, fixture(NAME + "_data"));
      return new Outcome(OnnxGraph.read(file), null);
    } catch (ModelException e) {
      return new Outcome(null, e);
    } finally {
      Files.deleteIfExists(file);
      Files.deleteIfExists(data);
      Files.deleteIfExists(folder);
    }
  }

  @Provide
  Arbitrary<List<Flip>> flips() {
    Arbitrary<Double> places =
        Arbitraries.oneOf(
            Arbitraries.doubles().between(0, 1), Arbitraries.doubles().between(0.9, 1));
    return Combinators.combine(places, Arbitraries.integers().between(1, 255))
        .as(Flip::new)
        .list()
        .ofMinSize(1)
        .ofMaxSize(20);
  }

  @Example
  void theWholeFileIsRead() throws IOException {
    assertThat(read(fixture(NAME)).graph()).isNotNull();
  }

  @Property(tries = 300, shrinking = ShrinkingMode.OFF)
  void changedBytes(@ForAll("flips") List<Flip> flips) throws IOException {
    byte[] content = fixture(NAME);
    for (Flip flip : flips) {
      content[(int) (flip.place() * (content.length - 1))] ^= (byte) flip.bits();
    }
    Outcome outcome = read(content);
    assertThat(outcome.graph() != null || !outcome.refusal().getMessage().contains("\n")).isTrue();
  }

  @Property(tries = 100, shrinking = ShrinkingMode.OFF)
  void cutOff(@ForAll("places") double place) throws IOException {
    byte[] content = fixture(NAME);
    assertThat(read(Arrays.copyOf(content, (int) (place * content.length))).refusal()).isNotNull();
  }

  @Provide
  Arbitrary<Double> places() {
    return Arbitraries.doubles().between(0, 0.99);
  }
}
