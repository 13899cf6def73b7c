package dev.squint.engine.internal.session;

import com.fasterxml.jackson.databind.JsonNode;
import dev.squint.engine.options.ModelOptions;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.internal.io.JsonFile;
import dev.squint.onnx.internal.io.Sha256;
import dev.squint.onnx.internal.io.UnpackedResource;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A model folder packed into the jar. ONNX Runtime wants files, so each is unpacked once into a
 * folder named after the content of all, and {@linkplain UnpackedResource verified} whenever the
 * model is loaded.
 */
public final class EmbeddedModel {

  private static final int HASH_LETTERS = 12;

  private final String name;
  private final String root;
  private final List<String> paths = new ArrayList<>();
  private final String hash;

  /**
   * @param name folder at the root of the class path that holds {@code files.json} and the files it
   *     lists
   */
  public EmbeddedModel(String name) {
    this.name = name;
    this.root = "/" + name + "/";
    byte[] index = readIndex();
    this.hash = Sha256.of(index).substring(0, HASH_LETTERS);
    try {
      for (JsonNode entry : JsonFile.tree(index)) {
        paths.add(entry.path("path").asText());
      }
    } catch (IOException e) {
      throw new ModelException(
          "the index of the embedded model '%s' is damaged; get the jar again".formatted(name), e);
    }
  }

  private byte[] readIndex() {
    try (InputStream stream = EmbeddedModel.class.getResourceAsStream(root + "files.json")) {
      if (stream == null) {
        throw new ModelException(
            "this build does not contain the embedded model '%s'; open a model folder instead"
                .formatted(name));
      }
      return stream.readAllBytes();
    } catch (IOException e) {
      throw new ModelException(
          "the embedded model '%s' cannot be read; get the jar again".formatted(name), e);
    }
  }

  /**
   * Makes sure that the model lies unpacked and whole in a cache.
   *
   * @param cache the cache folder, created if needed
   * @return the model folder
   */
  public Path unpack(Path cache) {
    Path folder = cache.resolve("models").resolve(name + "-" + hash);
    try {
      for (String path : paths) {
        new UnpackedResource(resource(path), folder, path).verified();
      }
      return folder;
    } catch (IOException e) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "the embedded model '%s' cannot be unpacked to %s (%s); %s"
              .formatted(name, folder, e.getMessage(), ModelOptions.OTHER_CACHE),
          e);
    }
  }

  private URL resource(String path) {
    URL resource = EmbeddedModel.class.getResource(root + path);
    if (resource == null) {
      throw new ModelException(
          "the embedded model '%s' lacks %s; get the jar again".formatted(name, path));
    }
    return resource;
  }
}
