package dev.squint.evaluation.data;

import dev.squint.DataException;
import dev.squint.image.Base64Image;
import dev.squint.image.ImageException;
import java.nio.file.Path;
import java.util.Objects;

/** What a question is about. */
public sealed interface MediaSource {

  /** What it is called in messages; the same for the same image within a data set. */
  String name();

  /**
   * An image in a file.
   *
   * @param file where it lies; it need not exist
   */
  record ImageFile(Path file) implements MediaSource {

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
   * An image within the data file.
   *
   * @param name what to call it
   * @param base64 its encoded bytes, or a data URI of these
   */
  record InlineImage(String name, String base64) implements MediaSource {

    /**
     * Decodes the bytes of the encoded image.
     *
     * @return PNG, JPEG or whatever it was
     * @throws DataException if it is no base64
     */
    public byte[] encoded() {
      try {
        return Base64Image.decode(base64);
      } catch (ImageException e) {
        throw new DataException(name + ": " + e.getMessage(), e);
      }
    }
  }

  /**
   * A video in a file.
   *
   * @param file where it lies; it need not exist
   */
  record VideoFile(Path file) implements MediaSource {

    @Override
    public String name() {
      return file.toString();
    }
  }
}
