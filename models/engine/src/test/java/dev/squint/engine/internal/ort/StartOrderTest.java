package dev.squint.engine.internal.ort;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/**
 * ONNX Runtime's environment is made once per process, so every order of starting gets a process of
 * its own.
 */
@Tag("runtime")
class StartOrderTest {

  private static final String SIZE = "threads=1 has no effect";

  private static final String COST = "without a global thread pool";

  /** What a process of ours says of the memory that its sessions share. */
  private static final String ARENA = "sharedArena=" + OS.LINUX.isCurrentOs();

  /** And a long command line does not end the process. */
  @Test
  void weFirstMakeTheGlobalPool() throws Exception {
    String property = OS.LINUX.isCurrentOs() ? "-Dlong=" + "x".repeat(9000) : "-Dlong=no";
    assertThat(run("squint-first", "djl", property))
        .contains("pooled=true", ARENA, "answered")
        .doesNotContain(COST, SIZE);
  }

  @Test
  void aHostThatWasFirstCostsThePoolAndOneLine() throws Exception {
    List<String> lines = run("host-first", "djl").lines().toList();
    assertThat(lines).contains("pooled=false", ARENA, "answered");
    assertThat(lines).filteredOn(line -> line.contains(COST)).hasSize(1);
  }

  @Test
  void aHostThatMadeItsOwnPoolLendsIt() throws Exception {
    assertThat(run("host-pool-first", "djl"))
        .contains("pooled=true", ARENA, "answered", SIZE)
        .doesNotContain(COST);
  }

  @Test
  void djlThatWasFirstLendsItsPool() throws Exception {
    assertThat(run("djl-first", "nothing"))
        .contains("pooled=true", "djl=OnnxRuntime", ARENA, "answered", SIZE)
        .doesNotContain(COST);
  }

  @Test
  void djlOnTheClassPathStillStartsAfterUs() throws Exception {
    assertThat(run("djl-second", "nothing", "-Dai.djl.onnxruntime.num_threads=1"))
        .contains("pooled=true", "djl=OnnxRuntime", "answered")
        .doesNotContain(COST, SIZE);
  }

  @Test
  void djlBrokenByTheHostDoesNotBreakUs() throws Exception {
    assertThat(run("host-first", "nothing")).contains("pooled=false", "answered", COST);
  }

  @Test
  void withoutJnaEverySessionHasItsOwn() throws Exception {
    assertThat(run("squint-first", "jna")).contains("sharedArena=false", "answered");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aHostThatSaysSoIsNotChanged() throws Exception {
    assertThat(run("squint-untouched", "djl", "-Dsquint.host.changes=false"))
        .contains("nativePath=null", "telemetry=null", "answered");
    assertThat(run("squint-untouched", "djl"))
        .contains("telemetry=1", "answered")
        .doesNotContain("nativePath=null");
  }

  private static String run(String order, String without) throws Exception {
    return run(order, without, "-Dlong=no");
  }

  private static String run(String order, String without, String property) throws Exception {
    String classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> !Path.of(entry).toString().contains(without))
            .collect(Collectors.joining(File.pathSeparator));
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@../../models/fixtures/java.args",
                "-DOPT_OUT_TRACKING=true",
                property,
                "-cp",
                classPath,
                "dev.squint.engine.StartOrderMain",
                order)
            .redirectErrorStream(true);
    builder.environment().remove("ORT_DISABLE_TELEMETRY");
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    return output;
  }
}
