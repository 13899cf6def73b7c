package dev.squint.evaluation.data;

import dev.squint.image.Base64Image;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Finds images within a data file, or next to it in the folders where data sets keep them. */
final class ImageFinder {

  private static final String FIRST = "images";

  /** Where the folders of images lie, seen from the data file's. */
  private static final List<String> ROOTS =
      List.of("", "images", "..", "../images", "../Images/mscoco");

  private static final List<String> FOLDERS =
      List.of(
          FIRST,
          "",
          "val2014",
          "train2014",
          "test2015",
          "val2017",
          "train2017",
          "train_images",
          "test_images");

  /** What is wrong with an image that is in no file and no base64. */
  static final String NEITHER = "its image is neither the name of a file nor base64";

  private static final int LONGEST_NAME = 255;
  private static final int LONGEST_PATH = 4096;

  private final Path folder;
  private final List<Path> places;
  private final InlineImages inline = new InlineImages();

  /**
   * Looks which folders are there: few are, and a set may name hundreds of thousands of images.
   *
   * @param folder the data file's folder
   */
  ImageFinder(Path folder) {
    this.folder = folder;
    this.places =
        ROOTS.stream()
            .map(folder::resolve)
            .flatMap(root -> FOLDERS.stream().map(root::resolve))
            .filter(Files::isDirectory)
            .distinct()
            .toList();
  }

  /** Whether a file can have a name. */
  static boolean canBeName(String name) {
    return name.length() <= LONGEST_PATH
        && Arrays.stream(name.split("[/\\\\]")).allMatch(part -> part.length() <= LONGEST_NAME);
  }

  /**
   * The image that a record has within it, or names.
   *
   * @param record what to call the record
   * @param given base64, a data URI or the name of a file
   * @return empty if it is none of these
   */
  Optional<NamedMedia> of(String record, String given) {
    if (Base64Image.looksLike(given)) {
      return Optional.of(inline.take(record, given));
    }
    return canBeName(given) ? Optional.of(find(given.replace('\\', '/'))) : Optional.empty();
  }

  /** The first of several names that is there; else the first name in the first place. */
  NamedMedia find(String... names) {
    for (Path place : places) {
      for (String name : names) {
        Path file = place.resolve(name);
        if (Files.isRegularFile(file)) {
          return new NamedMedia(names[0], new MediaSource.ImageFile(file.normalize()));
        }
      }
    }
    return new NamedMedia(
        names[0], new MediaSource.ImageFile(folder.resolve(FIRST).resolve(names[0])));
  }
}
