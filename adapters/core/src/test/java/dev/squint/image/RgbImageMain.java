package dev.squint.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Decodes files in a process of its own: prints the peak of its memory, then a line for each. */
public final class RgbImageMain {

  private RgbImageMain() {}

  public static void main(String[] args) throws IOException {
    OpenCv.load(Path.of(args[0]));
    RgbImage.decode(ImageInput.of(EncodedFiles.noise("png", 40, 30)));
    RgbImage.decode(ImageInput.of(EncodedFiles.noise("jpg", 40, 30)));
    long before = memory("VmRSS");
    for (String file : List.of(args).subList(1, args.length)) {
      try {
        RgbImage image = RgbImage.decode(ImageInput.of(Path.of(file)));
        System.out.println(image.width() + "x" + image.height());
      } catch (ImageException e) {
        System.out.println(e.getMessage());
      }
    }
    System.out.println(memory("VmHWM") - before);
  }

  /** In kB; 0 where the system does not tell. */
  private static long memory(String field) throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.isReadable(status)) {
      return 0;
    }
    for (String line : Files.readAllLines(status)) {
      if (line.startsWith(field)) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    return 0;
  }
}
