package dev.squint.cli.torture;

import java.nio.file.Path;

/** Where the models' test resources lie in the source tree. */
public final class Fixtures {

  private Fixtures() {}

  public static Path folder() {
    return Path.of("../../models/fixtures/data").toAbsolutePath().normalize();
  }
}
