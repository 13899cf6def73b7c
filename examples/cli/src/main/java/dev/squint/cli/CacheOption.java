package dev.squint.cli;

import dev.squint.engine.options.ModelOptions;
import dev.squint.error.ModelException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Where the program keeps what it unpacks and splits. */
final class CacheOption {

  @Option(
      names = "--cache",
      paramLabel = "DIR",
      description = "Cache folder (default: squint in the user's cache folder).")
  private Path folder;

  Path folder() {
    if (folder != null && folder.toString().isBlank()) {
      throw new ModelException("the name of the cache folder is empty; name a folder");
    }
    return folder == null ? ModelOptions.defaults().cacheFolder() : folder;
  }
}
