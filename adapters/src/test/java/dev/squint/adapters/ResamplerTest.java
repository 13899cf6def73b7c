package dev.squint.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.Base64;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Against samples that Pillow made ({@code fixtures/resample.py}). */
class ResamplerTest {

  private static JsonNode reference() throws IOException {
    try (InputStream in = ResamplerTest.class.getResourceAsStream("resample.json")) {
      return new ObjectMapper().readTree(in);
    }
  }

  private static Picture picture(JsonNode node) {
    return new Picture(
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
    Resampler resampler = Resampler.ofPillow(expected.path("resample").asInt());
    Picture wanted = picture(expected);
    Picture got = resampler.resize(picture(reference()), wanted.width(), wanted.height());
    assertThat(got.width()).isEqualTo(wanted.width());
    assertThat(got.height()).isEqualTo(wanted.height());
    assertThat(got.rgb()).isEqualTo(wanted.rgb());
  }

  @Test
  void aPictureOfTheRightSizeIsLeftAlone() throws IOException {
    Picture picture = picture(reference());
    assertThat(Resampler.BICUBIC.resize(picture, picture.width(), picture.height()))
        .isSameAs(picture);
  }

  @Test
  void unknownFiltersAreRefused() {
    assertThatThrownBy(() -> Resampler.ofPillow(-1))
        .hasMessage(
            "preprocessor_config.json: resample=-1 is no filter; use 0 (nearest), 1 (Lanczos), 2"
                + " (bilinear), 3 (bicubic), 4 (box) or 5 (Hamming)");
  }
}
