package dev.squint.engine.internal.ort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.engine.TinyLlava;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.error.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class PluginProvidersTest {

  private static final String FIX =
      "; name the library that the provider's package installs for this system and ONNX Runtime's version, or choose cpu";

  @TempDir Path temp;

  private static void open(Path library) {
    ExecutionProvider plugin = new ExecutionProvider.Plugin(library, "", Map.of());
    VisionLanguageModel.open(
            TinyLlava.folder(), TinyLlava.options().toBuilder().provider(plugin).build())
        .close();
  }

  @Test
  void aLibraryThatIsNotThereIsNamed() {
    Path none = temp.resolve("libprovider.so");
    assertThatThrownBy(() -> open(none))
        .isInstanceOf(ModelException.class)
        .hasMessage(
            "the execution provider library %s cannot be used: there is no such file%s"
                .formatted(none, FIX));
  }

  @Test
  void aFileThatIsNoLibraryIsRefused() throws IOException {
    Path text = Files.writeString(temp.resolve("libprovider.so"), "no library");
    assertThatThrownBy(() -> open(text))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith(
            "the execution provider library %s cannot be used: ".formatted(text))
        .hasMessageEndingWith(FIX);
    try (VisionLanguageModel model = TinyLlava.open()) {
      assertThat(TinyLlava.answersAsPyTorchDoes(model)).isTrue();
    }
  }

  /** A library that is one, but has no provider in it. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void aLibraryWithoutAProviderIsRefused() {
    Path library = Path.of(System.getProperty("java.home"), "lib", "libzip.so");
    assertThatThrownBy(() -> open(library))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith(
            "the execution provider library %s cannot be used: ".formatted(library))
        .hasMessageContaining("CreateEpFactories")
        .hasMessageEndingWith(FIX);
  }
}
