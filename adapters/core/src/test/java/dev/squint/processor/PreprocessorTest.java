package dev.squint.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.squint.engine.request.PixelValues;
import dev.squint.error.ModelException;
import dev.squint.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PreprocessorTest {

  @TempDir Path folder;

  /** Of a class that neither crops nor keeps the shape where its file is silent. */
  private Preprocessor read(String json) throws IOException {
    String typed =
        json.contains("image_processor_type")
            ? json
            : json.replaceFirst("\\{", "{'image_processor_type': 'ViTImageProcessor', ");
    Files.writeString(folder.resolve("preprocessor_config.json"), typed.replace('\'', '"'));
    return Preprocessor.read(folder);
  }

  /** Every sample tells where it came from. */
  private static RgbImage ramp(int width, int height) {
    byte[] rgb = new byte[3 * width * height];
    for (int i = 0; i < width * height; i++) {
      rgb[3 * i] = (byte) (i % width);
      rgb[3 * i + 1] = (byte) (i / width);
      rgb[3 * i + 2] = (byte) 200;
    }
    return new RgbImage(width, height, rgb);
  }

  @Test
  void aImageOfTheRightSizeIsOnlyRescaledAndNormalised() throws IOException {
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
             'crop_size': {'height': 10, 'width': 10}, 'resample': 2,
             'do_normalize': false}
            """);
    RgbImage seen = preprocessor.seen(ramp(25, 10));
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
    assertThatThrownBy(() -> read("{'size': 8, 'resample': 6}"))
        .isInstanceOf(ModelException.class)
        .hasMessage(
            "preprocessor_config.json: resample=6 is no filter; use 0 (nearest), 1 (Lanczos), 2"
                + " (bilinear), 3 (bicubic), 4 (box) or 5 (Hamming)");
  }

  @Test
  void aCropLargerThanTheResizedImageIsPaddedWithBlack() throws IOException {
    RgbImage seen =
        read("""
                {'size': {'shortest_edge': 8}, 'do_center_crop': true, 'do_normalize': false,
                 'crop_size': {'height': 10, 'width': 10}, 'resample': 2}
                """)
            .seen(ramp(8, 8));
    assertThat(seen.sample(0, 0, 2)).isZero();
    assertThat(seen.sample(1, 1, 2)).isEqualTo(200);
    assertThat(seen.sample(8, 8, 0)).isEqualTo(7);
    assertThat(seen.sample(9, 9, 2)).isZero();
  }

  @Test
  void withoutResizingTheImageIsCroppedOrPaddedWithBlack() throws IOException {
    Preprocessor preprocessor =
        read(
            """
            {'do_resize': false, 'do_center_crop': true, 'do_normalize': false,
             'crop_size': {'height': 5, 'width': 4}}
            """);
    RgbImage seen = preprocessor.seen(ramp(10, 2));
    assertThat(seen.sample(0, 1, 2)).isZero();
    assertThat(seen.sample(0, 2, 0)).isEqualTo(3);
    assertThat(seen.sample(3, 3, 0)).isEqualTo(6);
    assertThat(seen.sample(3, 3, 1)).isEqualTo(1);
    assertThat(seen.sample(0, 4, 2)).isZero();
    RgbImage narrow = preprocessor.seen(ramp(1, 9));
    assertThat(narrow.sample(1, 0, 2)).isZero();
    assertThat(narrow.sample(2, 0, 1)).isEqualTo(2);
    assertThat(narrow.sample(3, 0, 2)).isZero();
  }

  @Test
  void aTowerOfAnotherSizeIsRefused() throws IOException {
    Preprocessor preprocessor = read("{'size': {'height': 8, 'width': 12}, 'do_normalize': false}");
    assertThatThrownBy(() -> preprocessor.checkFits(96))
        .isInstanceOf(ModelException.class)
        .hasMessage(
            "preprocessor_config.json makes images of 12x8 pixels, but config.json says that the"
                + " vision tower takes 96x96; use the files of one model");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "image_std|[0.5, 0, 0.5]|0",
        "image_std|[-1, 1, 1]|-1",
        "image_std|[1, 1, 1e400]|`\"Infinity\"`",
        "image_std|[1, 1e-300, 1]|1.0E-300",
        "image_mean|[0, 0, 1e300]|1.0E300",
        "rescale_factor|0|0",
        "rescale_factor|-1|-1",
        "rescale_factor|1e300|1.0E300",
        "rescale_factor|1e400|`\"Infinity\"`",
        "rescale_factor|'NaN'|`\"NaN\"`",
        "rescale_factor|[]|an array",
        "size|0|0",
        "size|-8|-8",
        "size|8.5|8.5",
        "size|4097|4097",
        "size|1e300|1.0E300",
        "size|99999999999999999999|99999999999999999999",
        "size|{'shortest_edge': 'a'}|`\"a\"`",
        "size|{'height': 8, 'width': 1000000}|1000000",
        "size|{'height': true, 'width': 8}|true",
        "crop_size|0|0",
        "crop_size|{'height': 8, 'width': 2147483647}|2147483647"
      })
  void absurdNumbersAreRefusedByName(String field, String value, String shown) {
    Map<String, String> fields = new LinkedHashMap<>();
    fields.put("do_center_crop", Boolean.toString(field.equals("crop_size")));
    fields.put("size", "8");
    fields.put("image_mean", "[0, 0, 0]");
    fields.put("image_std", "[1, 1, 1]");
    fields.put(field, value);
    String json =
        fields.entrySet().stream()
            .map(entry -> "'" + entry.getKey() + "': " + entry.getValue())
            .collect(Collectors.joining(", ", "{", "}"));
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(ModelException.class)
        .hasMessageStartingWith(folder.resolve("preprocessor_config.json") + ": '" + field)
        .hasMessageContaining("' has to be ")
        .hasMessageEndingWith(", not " + shown + "; download or export it again");
  }

  @ParameterizedTest
  @ValueSource(strings = {"'bicubic'", "2.5", "1e300", "99999999999", "-1", "[]", "true"})
  void whatIsNoFilterIsRefused(String filter) {
    assertThatThrownBy(() -> read("{'size': 8, 'do_normalize': false, 'resample': " + filter + "}"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("resample")
        .hasMessageMatching(".*( is no filter; use 0 .nearest.|from 0 to 5, not ).*");
  }

  /** An image 20 times as long as wide, resized as far as can be asked for. */
  @Test
  void theLargestResizingTakesNoMoreThanWhatIsSeen() throws IOException {
    Preprocessor preprocessor =
        read(
            """
            {'size': {'shortest_edge': 4096}, 'do_center_crop': true, 'do_normalize': false,
             'crop_size': {'height': 8, 'width': 8}, 'resample': 3}
            """);
    assertThat(preprocessor.seen(ramp(8, 160)).rgb()).hasSize(3 * 8 * 8);
    assertThatThrownBy(() -> preprocessor.apply(ramp(8, 160), 4096, 4096))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("asks to resize a side of an image from 8 to 2097152 pixels");
  }
}
