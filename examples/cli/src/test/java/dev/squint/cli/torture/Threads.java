package dev.squint.cli.torture;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** What a hung process is doing. */
final class Threads {

  private static final int LONGEST = 4_000;
  private static final int SECONDS = 5;

  private Threads() {}

  /** The stack of its main thread, as far as the JDK can tell. */
  static String of(Process process) throws IOException, InterruptedException {
    Path jstack = Path.of(System.getProperty("java.home"), "bin", "jstack");
    Process asking =
        new ProcessBuilder(jstack.toString(), Long.toString(process.pid()))
            .redirectErrorStream(true)
            .start();
    if (!asking.waitFor(SECONDS, TimeUnit.SECONDS)) {
      asking.destroyForcibly();
      return "no stack";
    }
    String all = new String(asking.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int main = Math.max(0, all.indexOf("\"main\""));
    return all.substring(main, Math.min(all.length(), main + LONGEST));
  }
}
