package dev.squint.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.fixtures.TestCache;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Base64;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import java.util.zip.InflaterInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each kind of file gives the samples that Pillow gives ({@code fixtures/kinds.py}). */
class RgbImageKindsTest {

  @BeforeAll
  static void loadOpenCv() {
    OpenCv.load(TestCache.FOLDER);
  }

  static Stream<Arguments> kinds() throws IOException {
    try (InputStream in = RgbImageKindsTest.class.getResourceAsStream("kinds.json")) {
      JsonNode kinds = new ObjectMapper().readTree(in);
      return StreamSupport.stream(kinds.spliterator(), false)
          .map(kind -> Arguments.of(kind.path("name").asText(), kind));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("kinds")
  void givesTheRightSamples(String name, JsonNode kind) throws IOException {
    byte[] file = Base64.getDecoder().decode(kind.path("file").asText());
    RgbImage image = RgbImage.decode(ImageInput.of(file));
    assertThat(image.width()).isEqualTo(kind.path("width").asInt());
    assertThat(image.height()).isEqualTo(kind.path("height").asInt());
    byte[] wanted = inflated(Base64.getDecoder().decode(kind.path("rgb").asText()));
    assertThat(image.rgb()).hasSameSizeAs(wanted);
    int furthest = 0;
    for (int i = 0; i < wanted.length; i++) {
      furthest = Math.max(furthest, Math.abs((image.rgb()[i] & 0xFF) - (wanted[i] & 0xFF)));
    }
    assertThat(furthest).isLessThanOrEqualTo(kind.path("tolerance").asInt());
  }

  private static byte[] inflated(byte[] deflated) throws IOException {
    try (InputStream in = new InflaterInputStream(new ByteArrayInputStream(deflated))) {
      return in.readAllBytes();
    }
  }
}
