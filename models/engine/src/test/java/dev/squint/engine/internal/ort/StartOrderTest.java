package dev.squint.engine.internal.ort;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.engine.Engine;
import dev.squint.engine.TinyLlava;
import dev.squint.engine.VisionLanguageModel;
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
 * ONNX Runtime's environment is made once per process, so every order of starting but that of these
 * tests gets a process of its own.
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
        .contains("pooled=true", ARENA, "telemetry=1", "answered")
        .doesNotContain(COST, SIZE, "nativePath=null");
  }

  /** Such a host breaks DJL too. */
  @Test
  void aHostThatWasFirstCostsThePoolAndOneLine() throws Exception {
    List<String> lines = run("host-first", "nothing").lines().toList();
    assertThat(lines).contains("pooled=false", ARENA, "answered");
    assertThat(lines).filteredOn(line -> line.contains(COST)).hasSize(1);
  }

  /** Without JNA every session has an arena of its own. */
  @Test
  void aHostThatMadeItsOwnPoolLendsItWithoutJnaToo() throws Exception {
    assertThat(run("host-pool-first", "jna"))
        .contains("pooled=true", "sharedArena=false", "answered", SIZE)
        .doesNotContain(COST);
  }

  @Test
  void djlThatWasFirstLendsItsPool() throws Exception {
    assertThat(run("djl-first", "nothing", "-Dai.djl.onnxruntime.num_threads=1"))
        .contains("pooled=true", "djl=OnnxRuntime", ARENA, "answered")
        .doesNotContain(COST, SIZE);
  }

  /** In the process of these tests, where DJL is on the class path and Squint starts first. */
  @Test
  void djlOnTheClassPathStillStartsAfterUs() {
    try (VisionLanguageModel model = TinyLlava.open()) {
      assertThat(Engine.getEngine("OnnxRuntime").getEngineName()).isEqualTo("OnnxRuntime");
      assertThat(OrtRuntime.get(0).pooled()).isTrue();
      assertThat(TinyLlava.answersAsPyTorchDoes(model)).isTrue();
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aHostThatSaysSoIsNotChanged() throws Exception {
    assertThat(run("squint-first", "djl", "-Dsquint.host.changes=false"))
        .contains("nativePath=null", "telemetry=null", "answered");
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
