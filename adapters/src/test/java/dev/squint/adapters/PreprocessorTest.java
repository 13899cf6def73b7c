package dev.squint.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.squint.models.ModelException;
import dev.squint.models.PixelValues;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PreprocessorTest {

  @TempDir Path folder;

  private Preprocessor read(String json) throws IOException {
    Files.writeString(folder.resolve("preprocessor_config.json"), json.replace('\'', '"'));
    return Preprocessor.read(folder);
  }

  /** Every sample tells where it came from. */
  private static Picture ramp(int width, int height) {
    byte[] rgb = new byte[3 * width * height];
    for (int i = 0; i < width * height; i++) {
      rgb[3 * i] = (byte) (i % width);
      rgb[3 * i + 1] = (byte) (i / width);
      rgb[3 * i + 2] = (byte) 200;
    }
    return new Picture(width, height, rgb);
  }

  @Test
  void aPictureOfTheRightSizeIsOnlyRescaledAndNormalised() throws IOException {
    PixelValues values =
        read("""
            {'size': {'height': 10, 'width': 12}, 'resample': 2, 'rescale_factor': 0.5,
             'image_mean': [1, 2, 3], 'image_std': [1, 2, 4]}
            """)
            .apply(ramp(12, 10));
    assertThat(values.shape()).containsExactly(1, 3, 10, 12);
    assertThat(values.data().isDirect()).isTrue();
    int at = 7 * 12 + 5;
    assertThat(values.data().get(at)).isEqualTo(1.5f, offset(1e-6f));
    assertThat(values.data().get(120 + at)).isEqualTo(0.75f, offset(1e-6f));
    assertThat(values.data().get(240 + at)).isEqualTo(24.25f, offset(1e-6f));
  }

  @Test
  void theCentreIsCroppedAfterTheShorterSideFits() throws IOException {
    Preprocessor preprocessor =
        read(
            """
            {'size': {'shortest_edge': 10}, 'do_center_crop': true,
             'crop_size': {'height': 10, 'width': 10}, 'resample': 2}
            """);
    Picture seen = preprocessor.seen(ramp(25, 10));
    assertThat(seen.width()).isEqualTo(10);
    assertThat(seen.sample(0, 0, 0)).isEqualTo(7);
    assertThat(seen.sample(9, 9, 0)).isEqualTo(16);
    assertThat(seen.sample(9, 9, 1)).isEqualTo(9);
    assertThat(preprocessor.apply(ramp(10, 40)).shape()).containsExactly(1, 3, 10, 10);
  }

  @Test
  void stepsThatAreSwitchedOffAreLeftOut() throws IOException {
    PixelValues values =
        read("""
            {'size': 8, 'do_rescale': false, 'do_normalize': false,
             'image_mean': [9, 9, 9], 'image_std': [9, 9, 9]}
            """)
            .apply(ramp(8, 8));
    assertThat(values.data().get(3)).isEqualTo(3);
    assertThat(values.data().get(128)).isEqualTo(200);
  }

  @Test
  void aFolderWithoutTheFileIsRefused() {
    assertThatThrownBy(() -> Preprocessor.read(folder))
        .isInstanceOf(ModelException.class)
        .hasMessage(
            "no such file: "
                + folder.resolve("preprocessor_config.json")
                + "; copy it from where the model came from");
  }

  @Test
  void anUnknownFilterIsAFaultOfTheModelFolder() {
    assertThatThrownBy(() -> read("{'size': 8, 'resample': 1}"))
        .isInstanceOf(ModelException.class)
        .hasMessage(
            "preprocessor_config.json: resample=1 is not supported;"
                + " use 2 (bilinear) or 3 (bicubic)");
  }

  @Test
  void aTowerOfAnotherSizeIsRefused() throws IOException {
    Preprocessor preprocessor = read("{'size': {'height': 8, 'width': 12}}");
    assertThatThrownBy(() -> preprocessor.checkFits(96))
        .isInstanceOf(ModelException.class)
        .hasMessage(
            "preprocessor_config.json makes pictures of 12x8 pixels, but config.json says that the"
                + " vision tower takes 96x96; use the files of one model");
  }
}
