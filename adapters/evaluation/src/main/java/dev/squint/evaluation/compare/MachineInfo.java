package dev.squint.evaluation.compare;

import com.sun.management.OperatingSystemMXBean;
import dev.squint.evaluation.report.Summary;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** Facts about the machine, without its name. */
final class MachineInfo {

  private MachineInfo() {}

  /**
   * This machine.
   *
   * @param provider where the model runs
   * @param threads threads of its runtime; 0 for one per core
   * @param runtimeVersion what runs the model
   */
  static Summary.Machine here(String provider, int threads, String runtimeVersion) {
    Runtime runtime = Runtime.getRuntime();
    var os = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return new Summary.Machine(
        processor(),
        runtime.availableProcessors(),
        os.getTotalMemorySize(),
        System.getProperty("os.name") + " " + System.getProperty("os.arch"),
        System.getProperty("java.vm.name") + " " + Runtime.version(),
        runtimeVersion,
        Objects.requireNonNullElse(
            MachineInfo.class.getPackage().getImplementationVersion(), "unreleased"),
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
