package dev.squint.examples.compare;

import ai.onnxruntime.OrtEnvironment;
import com.sun.management.OperatingSystemMXBean;
import dev.squint.examples.report.Summary;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** Facts about the machine, without its name. */
final class Machines {

  private Machines() {}

  static Summary.Machine here(String provider, int threads, String version) {
    Runtime runtime = Runtime.getRuntime();
    var os = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return new Summary.Machine(
        processor(),
        runtime.availableProcessors(),
        os.getTotalMemorySize(),
        System.getProperty("os.name") + " " + System.getProperty("os.arch"),
        System.getProperty("java.vm.name") + " " + Runtime.version(),
        OrtEnvironment.getEnvironment().getVersion(),
        version,
        provider,
        threads == 0 ? runtime.availableProcessors() : threads);
  }

  private static String processor() {
    try {
      return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    } catch (IOException e) {
      return System.getProperty("os.arch");
    }
  }
}
