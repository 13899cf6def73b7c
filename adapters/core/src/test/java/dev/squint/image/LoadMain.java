package dev.squint.image;

import dev.squint.Squint;
import dev.squint.engine.internal.ort.OrtRuntime;
import dev.squint.engine.internal.ort.RuntimeLibrary;
import dev.squint.engine.options.ModelOptions;
import dev.squint.tokenizer.TokenizerLibrary;
import java.nio.file.Path;

/** Another process that loads the embedded model with a cache folder of its own. */
public final class LoadMain {

  public static final String LOADED = "loaded";

  private LoadMain() {}

  public static void main(String[] arguments) {
    Path cache = Path.of(arguments[0]);
    if (arguments.length > 1) {
      RuntimeLibrary.unpack(cache);
      OrtRuntime.get(1);
      OpenCv.load(cache);
      TokenizerLibrary.prepare(cache);
    } else {
      Squint.load(ModelOptions.builder().threads(1).cacheFolder(cache).build()).close();
    }
    System.out.println(LOADED);
  }
}
