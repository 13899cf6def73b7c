package dev.squint.onnx.internal.io;

import java.io.IOException;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Native libraries in a jar. The loaders that come with them unpack them at each start, or trust
 * whatever lies where they once did; so on Linux they are unpacked once into the cache folder and
 * {@linkplain UnpackedResource verified} at each start. Elsewhere, and where the cache cannot be
 * written, it is left to those loaders.
 */
public final class NativeLibrary {

  private NativeLibrary() {}

  /**
   * What a jar calls this machine's processor.
   *
   * @param amd64 its name of that one
   * @param aarch64 its name of that one
   * @return one of the two, or nothing
   */
  public static String processor(String amd64, String aarch64) {
    return switch (System.getProperty("os.arch")) {
      case "amd64", "x86_64" -> amd64;
      case "aarch64" -> aarch64;
      default -> "";
    };
  }

  /**
   * Unpacks libraries that belong together.
   *
   * @param jar a class of the jar
   * @param root where they lie, ending in a slash
   * @param folder where they go
   * @param names their files
   * @return whether they are there; false where the system is another or the jar lacks one
   * @throws IOException if they cannot be written
   */
  public static boolean unpack(Class<?> jar, String root, Path folder, String... names)
      throws IOException {
    List<UnpackedResource> files = new ArrayList<>();
    for (String name : names) {
      URL resource = jar.getResource(root + name);
      if (resource == null || !System.getProperty("os.name").equals("Linux")) {
        return false;
      }
      files.add(new UnpackedResource(resource, folder, name));
    }
    for (UnpackedResource file : files) {
      file.verified();
    }
    return true;
  }
}
