package dev.squint.adapters;

import java.nio.file.Path;
import org.opencv.core.Core;

/** Another process that loads OpenCV. */
final class OpenCvMain {

  private OpenCvMain() {}

  public static void main(String[] arguments) {
    OpenCv.load(Path.of(arguments[0]));
    System.out.println(Core.getVersionString());
  }
}
