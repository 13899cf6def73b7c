package dev.squint.adapters;

import dev.squint.models.ExecutionProvider;
import dev.squint.models.ModelOptions;
import dev.squint.models.runtime.OrtRuntime;
import dev.squint.models.runtime.RuntimeLibrary;
import java.nio.file.Path;

/** Another process that loads the embedded model with a cache folder of its own. */
final class LoadMain {

  static final String LOADED = "loaded";

  private LoadMain() {}

  public static void main(String[] arguments) {
    Path cache = Path.of(arguments[0]);
    if (arguments.length > 1) {
      RuntimeLibrary.unpack(cache);
      OrtRuntime.get(1);
      OpenCv.load(cache);
      TokenizerLibrary.prepare(cache);
    } else {
      Squint.load(new ModelOptions(new ExecutionProvider.Cpu(), 1, cache)).close();
    }
    System.out.println(LOADED);
  }
}
