package dev.squint.engine.internal.session;

import dev.squint.fixtures.FileSums;
import dev.squint.onnx.internal.io.WorkFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Another process that unpacks, or that has begun something and does not go on. */
final class UnpackMain {

  private UnpackMain() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path path = Path.of(arguments[1]);
    if (arguments[0].equals("unpack")) {
      Path model = new EmbeddedModel("tiny-llava").unpack(path);
      System.out.println(FileSums.of(model));
      return;
    }
    try (WorkFolder work = WorkFolder.nextTo(path)) {
      Files.writeString(work.path().resolve("half"), "of it");
      System.out.println(work.path());
      System.out.flush();
      Thread.sleep(600_000);
    }
  }
}
