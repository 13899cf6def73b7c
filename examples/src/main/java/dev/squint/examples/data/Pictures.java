package dev.squint.examples.data;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Finds pictures beside a data file, in the folders where data sets keep them.
 *
 * @param folder the data file's folder
 */
record Pictures(Path folder) {

  private static final List<String> PLACES =
      List.of(
          "images",
          "",
          "val2014",
          "train2014",
          "test2015",
          "train_images",
          "test_images",
          "../images",
          "../val2014",
          "../train2014",
          "../train_images");

  /** The first of several names that is there; else the first name in the first place. */
  Reference find(String... names) {
    for (String place : PLACES) {
      for (String name : names) {
        Path file = folder.resolve(place).resolve(name);
        if (Files.isRegularFile(file)) {
          return new Reference(names[0], new Medium.ImageFile(file.normalize()));
        }
      }
    }
    return new Reference(
        names[0], new Medium.ImageFile(folder.resolve(PLACES.get(0)).resolve(names[0])));
  }
}
