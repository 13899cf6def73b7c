package dev.squint.examples.data;

import java.nio.file.Path;
import java.util.Base64;
import java.util.Objects;

/** What a question is about. */
public sealed interface Medium {

  /** What it is called in messages; the same for the same picture within a data set. */
  String name();

  /**
   * A picture in a file.
   *
   * @param file where it lies; it need not exist
   */
  record ImageFile(Path file) implements Medium {

    /** Checks that there is a name. */
    public ImageFile {
      Objects.requireNonNull(file, "file");
    }

    @Override
    public String name() {
      return file.toString();
    }
  }

  /**
   * A picture within the data file.
   *
   * @param name what to call it
   * @param base64 its encoded bytes
   */
  record InlineImage(String name, String base64) implements Medium {

    /**
     * Decodes the bytes of the encoded picture.
     *
     * @return PNG, JPEG or whatever it was
     * @throws IllegalArgumentException if it is no base64
     */
    public byte[] encoded() {
      return Base64.getMimeDecoder().decode(base64);
    }
  }

  /**
   * A video in a file.
   *
   * @param file where it lies; it need not exist
   */
  record VideoFile(Path file) implements Medium {

    @Override
    public String name() {
      return file.toString();
    }
  }
}
