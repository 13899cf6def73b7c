package dev.squint.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Against samples that Pillow made ({@code fixtures/resample.py}). */
class ResamplerTest {

  private static JsonNode reference() throws IOException {
    try (InputStream in = ResamplerTest.class.getResourceAsStream("resample.json")) {
      return new ObjectMapper().readTree(in);
    }
  }

  private static RgbImage image(JsonNode node) {
    return new RgbImage(
        node.path("width").asInt(),
        node.path("height").asInt(),
        Base64.getDecoder().decode(node.path("rgb").asText()));
  }

  static Stream<JsonNode> cases() throws IOException {
    return StreamSupport.stream(reference().path("cases").spliterator(), false);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void resizesToTheSamplesOfPillow(JsonNode expected) throws IOException {
    Resampler resampler = Resampler.ofPillow(expected.path("resample").asInt(), "a test");
    RgbImage wanted = image(expected);
    RgbImage got = resampler.resize(image(reference()), wanted.width(), wanted.height());
    assertThat(got.width()).isEqualTo(wanted.width());
    assertThat(got.height()).isEqualTo(wanted.height());
    assertThat(got.rgb()).isEqualTo(wanted.rgb());
  }

  static Stream<JsonNode> largeCases() throws IOException {
    return StreamSupport.stream(reference().path("large").spliterator(), false);
  }

  /** More rows than are resized together, and more pixels in one sample than in a block of rows. */
  @ParameterizedTest
  @MethodSource("largeCases")
  void resizesALargeImageToTheSamplesOfPillow(JsonNode expected) throws Exception {
    byte[] noise = new byte[3 * 1500 * 600];
    for (int i = 0; i < noise.length; i++) {
      noise[i] = (byte) (i * 0x9E3779B1 >>> 24);
    }
    Resampler resampler = Resampler.ofPillow(expected.path("resample").asInt(), "a test");
    RgbImage got =
        resampler.resize(
            new RgbImage(1500, 600, noise),
            expected.path("width").asInt(),
            expected.path("height").asInt());
    byte[] sum = MessageDigest.getInstance("SHA-256").digest(got.rgb());
    assertThat(HexFormat.of().formatHex(sum)).isEqualTo(expected.path("sha256").asText());
  }

  @Test
  void aImageOfTheRightSizeIsLeftAlone() throws IOException {
    RgbImage image = image(reference());
    assertThat(Resampler.BICUBIC.resize(image, image.width(), image.height())).isSameAs(image);
  }

  @ParameterizedTest
  @EnumSource(Resampler.class)
  void aWindowIsAPartOfTheWhole(Resampler resampler) throws IOException {
    RgbImage image = image(reference());
    for (int[] size : new int[][] {{9, 7}, {150, 90}, {image.width(), 11}}) {
      RgbImage whole = resampler.resize(image, size[0], size[1]);
      Resampler.Window window = new Resampler.Window(2, 3, size[0] - 1, size[1] - 2);
      RgbImage part = resampler.resize(image, size[0], size[1], window);
      assertThat(part.width()).isEqualTo(window.width());
      for (int y = 0; y < part.height(); y++) {
        for (int x = 0; x < 3 * part.width(); x++) {
          assertThat(part.sample(x / 3, y, x % 3)).isEqualTo(whole.sample(x / 3 + 2, y + 3, x % 3));
        }
      }
    }
  }

  @Test
  void unknownFiltersAreRefused() {
    assertThatThrownBy(() -> Resampler.ofPillow(-1, "preprocessor_config.json: resample"))
        .hasMessage(
            "preprocessor_config.json: resample=-1 is no filter; use 0 (nearest), 1 (Lanczos), 2"
                + " (bilinear), 3 (bicubic), 4 (box) or 5 (Hamming)");
  }
}
