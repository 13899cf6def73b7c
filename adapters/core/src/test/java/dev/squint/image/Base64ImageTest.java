package dev.squint.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.fixtures.TestCache;
import java.util.Base64;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class Base64ImageTest {

  private static final byte[] PNG = EncodedFiles.noise("png", 20, 10);
  private static final String TEXT = Base64.getEncoder().encodeToString(PNG);

  @ParameterizedTest
  @ValueSource(strings = {"", "data:image/png;base64,", "DATA:image/png;charset=x;BASE64 ,\n"})
  void allWaysOfWritingIt(String prefix) {
    String url = Base64.getUrlEncoder().withoutPadding().encodeToString(PNG);
    String lines = Base64.getMimeEncoder().encodeToString(PNG);
    String numbers = TEXT.replace("+", "%2B").replace("/", "%2f").replace("=", "%3D");
    for (String text : new String[] {TEXT, url, lines, numbers, " " + TEXT + "\n"}) {
      assertThat(Base64Image.decode(prefix + text)).isEqualTo(PNG);
      assertThat(Base64Image.looksLike(prefix + text)).isTrue();
    }
  }

  @Test
  void everyLengthIsDecodedAsByTheDecoderOfJava() {
    Random random = new Random(5);
    for (int length = 0; length < 200; length++) {
      byte[] bytes = new byte[length];
      random.nextBytes(bytes);
      assertThat(Base64Image.decode(Base64.getEncoder().encodeToString(bytes))).isEqualTo(bytes);
      assertThat(Base64Image.decode(Base64.getUrlEncoder().withoutPadding().encodeToString(bytes)))
          .isEqualTo(bytes);
    }
  }

  @Test
  void anImageComesOutOfIt() {
    OpenCv.load(TestCache.FOLDER);
    assertThat(RgbImage.decode(ImageInput.ofBase64("data:image/png;base64," + TEXT)).rgb())
        .isEqualTo(RgbImage.decode(ImageInput.of(PNG)).rgb());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "data:image/png|the data URI of the image has no comma; encode the image again",
        "data:image/png,iVBO|the data URI of the image is not in base64; encode the image again, with ';base64' before the comma",
        "iVBO!AAA|the image is no base64: its character 5 does not belong there; encode the image again",
        "iVB=AAAA|the image is no base64: its character 5 does not belong there; encode the image again",
        "iVBOé|the image is no base64: its character 5 does not belong there; encode the image again",
        "iVBO%2|the image is no base64: its character 5 does not belong there; encode the image again",
        "iVBOR|the image in base64 is cut off; encode the image again"
      })
  void whatIsNoneIsASentence(String text, String message) {
    assertThatThrownBy(() -> ImageInput.ofBase64(text))
        .isInstanceOf(ImageException.class)
        .hasMessage(message);
  }

  @Test
  void anImageThatIsNoneIsASentence() {
    assertThatThrownBy(() -> ImageInput.ofBase64("AAAA".repeat(1000)))
        .isInstanceOf(ImageException.class)
        .hasMessageStartingWith("the given input is not an image");
    assertThatThrownBy(() -> ImageInput.ofBase64(""))
        .isInstanceOf(ImageException.class)
        .hasMessageStartingWith("the given input is empty");
  }

  @Test
  void whatIsTooLongForANameIsOne() {
    assertThat(Base64Image.looksLike("AAAA".repeat(1100))).isTrue();
    assertThat(Base64Image.looksLike("AAA!".repeat(1100))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/9j/images/a-long-folder-of-images/000000001.jpg",
        "COCO_val2014_000000000001_and_more_of_such_names",
        "iVBORw0KGgo",
        "12",
        ""
      })
  void namesAreNone(String name) {
    assertThat(Base64Image.looksLike(name)).isFalse();
  }
}
