package dev.squint.examples.data;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Finds pictures beside a data file, in the folders where data sets keep them. */
final class Pictures {

  private static final String FIRST = "images";

  /** Where the folders of pictures lie, seen from the data file's. */
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

  private final Path folder;
  private final List<Path> places;

  /**
   * Looks which folders are there: few are, and a set may name hundreds of thousands of pictures.
   *
   * @param folder the data file's folder
   */
  Pictures(Path folder) {
    this.folder = folder;
    this.places =
        ROOTS.stream()
            .map(folder::resolve)
            .flatMap(root -> FOLDERS.stream().map(root::resolve))
            .filter(Files::isDirectory)
            .distinct()
            .toList();
  }

  /** The first of several names that is there; else the first name in the first place. */
  Reference find(String... names) {
    for (Path place : places) {
      for (String name : names) {
        Path file = place.resolve(name);
        if (Files.isRegularFile(file)) {
          return new Reference(names[0], new Medium.ImageFile(file.normalize()));
        }
      }
    }
    return new Reference(names[0], new Medium.ImageFile(folder.resolve(FIRST).resolve(names[0])));
  }
}
