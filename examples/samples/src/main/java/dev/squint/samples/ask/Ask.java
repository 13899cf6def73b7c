package dev.squint.samples.ask;

import dev.squint.Answer;
import dev.squint.Squint;
import java.nio.file.Path;

/** The library in ten lines. README shows this program. */
public final class Ask {

  private Ask() {}

  /** Answers one question about the image named by the first argument. */
  public static void main(String[] arguments) {
    try (Squint squint = Squint.load()) {
      Path image = Path.of(arguments[0]);
      Answer answer = squint.ask(image, "how many objects are there?", "fastv:k=2,keep=0.5");
      System.out.println(answer.text());
      answer.trace().sites().forEach(System.out::println);
      System.out.println(answer.trace().prefillFlops() + " FLOPs");
    }
  }
}
