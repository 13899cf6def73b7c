package dev.squint.examples.torture;

import java.nio.file.Path;

/** Where the models' test resources lie in the source tree. */
final class Fixtures {

  private Fixtures() {}

  static Path folder() {
    return Path.of("../models/src/test/resources/dev/squint/models").toAbsolutePath().normalize();
  }
}
