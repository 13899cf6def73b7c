package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.ModelException;
import dev.squint.fixtures.Share;
import dev.squint.onnx.split.ModelSplitter;
import dev.squint.onnx.split.SplitOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A model whose files are changed under it says so and answers nothing. */
class LoadedFilesTest {

  private static final List<String> FILES =
      List.of(
          "decoder_model_merged.onnx",
          "decoder_model_merged.onnx_data",
          "embed_tokens.onnx",
          "vision_encoder.onnx");

  @TempDir Path temp;

  private enum Harm {
    ZEROED_IN_PLACE {
      @Override
      void to(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.write(ByteBuffer.allocate((int) channel.size()), 0);
        }
      }
    },
    CUT_SHORT {
      @Override
      void to(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.truncate(channel.size() / 3);
        }
      }
    },
    REPLACED_AND_TIME_SET_BACK {
      @Override
      void to(Path file) throws IOException {
        FileTime time = Files.getLastModifiedTime(file);
        Path other = Files.write(file.resolveSibling("x"), new byte[(int) Files.size(file)]);
        Files.setLastModifiedTime(other, time);
        Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
      }
    };

    abstract void to(Path file) throws IOException;
  }

  private Path model() throws IOException {
    Path from = TinyLlava.folder();
    Path to = temp.resolve("model");
    try (Stream<Path> all = Files.walk(from)) {
      for (Path path : all.toList()) {
        Path target = to.resolve(from.relativize(path).toString());
        if (Files.isDirectory(path)) {
          Files.createDirectories(target);
        } else {
          Files.copy(path, target, StandardCopyOption.COPY_ATTRIBUTES);
        }
      }
    }
    return to;
  }

  /** Each file in one of the ways, with {@code -Pfull} in all. */
  static Stream<Arguments> harms() {
    return FILES.stream()
        .flatMap(
            file ->
                Stream.of(Harm.values())
                    .filter(harm -> Share.has(FILES.indexOf(file) + harm.ordinal(), 3))
                    .map(harm -> Arguments.of(harm, file)));
  }

  @ParameterizedTest
  @MethodSource("harms")
  void aChangedFileIsNamed(Harm harm, String name) throws IOException {
    Path folder = model();
    try (VisionLanguageModel model = VisionLanguageModel.open(folder, TinyLlava.options())) {
      assertThat(TinyLlava.answersAsPyTorchDoes(model)).isTrue();
      harm.to(folder.resolve("onnx").resolve(name));
      for (int layer : new int[] {1, 2, 3}) {
        assertThatThrownBy(
                () ->
                    model.generate(
                        TinyLlava.prompt(), TestStrategy.fastV(layer, 5), TinyLlava.sixTokens()))
            .isInstanceOf(ModelException.class)
            .hasMessageContaining(name + " has changed since the model was loaded; load it again");
      }
      assertThat(model.openTensors()).isZero();
    }
  }

  @Test
  void whatIsOpenOutlivesItsFilesAndWhatIsNotIsExplained() throws IOException {
    Path folder = model();
    try (VisionLanguageModel model = VisionLanguageModel.open(folder, TinyLlava.options())) {
      assertThat(TinyLlava.answersAsPyTorchDoes(model)).isTrue();
      for (String file : FILES) {
        Files.delete(folder.resolve("onnx").resolve(file));
      }
      assertThat(TinyLlava.answersAsPyTorchDoes(model)).isTrue();
      assertThatThrownBy(
              () ->
                  model.generate(
                      TinyLlava.prompt(), TestStrategy.fastV(3, 5), TinyLlava.sixTokens()))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("has changed since the model was loaded; load it again");
    }
  }

  @Test
  void aLinkToTheWeightsIsNoChange() throws IOException {
    Path folder = model();
    try (VisionLanguageModel model = VisionLanguageModel.open(folder, TinyLlava.options())) {
      ModelSplitter.split(folder, "", SplitOptions.at(Set.of(2)).build(), temp.resolve("parts"));
      assertThat(TinyLlava.answersAsPyTorchDoes(model)).isTrue();
    }
  }
}
