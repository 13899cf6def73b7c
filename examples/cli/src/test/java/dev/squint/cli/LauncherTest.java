package dev.squint.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.condition.OS.WINDOWS;

import dev.squint.fixtures.Share;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the script {@code squint} does around Maven and Java, which are scripts here. */
@DisabledOnOs(WINDOWS)
@Timeout(600)
class LauncherTest {

  /** Notes each call, and numbers what it builds. */
  private static final String MAVEN =
      """
      #!/bin/sh
      for argument; do
        case $argument in -Dbuild.folder=*) folder=${argument#*=} ;; esac
      done
      folder=${folder%/*}/squint-cli
      echo begin >> "$NOTES/maven"
      echo '[INFO] Building Squint CLI 0.1 [8/8]'
      mkdir -p "$folder/lib"
      printf 'runtime' > "$folder/lib/onnxruntime-1.jar"
      sleep "${MAVEN_SECONDS:-0}"
      grep -c begin "$NOTES/maven" > "$folder/squint-cli-1.jar"
      echo end >> "$NOTES/maven"
      [ ! -f "$NOTES/save" ] || touch one/two/src/main/Source
      echo '[INFO] BUILD SUCCESS'
      """;

  /** Waits if told to, then says which build it ran, which takes all of its files. */
  private static final String JAVA =
      """
      #!/bin/sh
      case $1 in -version) echo 'openjdk version "17.0.1"' >&2; exit ;; esac
      for argument; do
        case $argument in
          -XX:ArchiveClassesAtExit=*) echo classes > "${argument#*=}" ;;
          -XX:SharedArchiveFile=*) archive=${argument#*=} ;;
          -Donnxruntime.native.path=*) native=${argument#*=} ;;
          *.jar) jars=$argument ;;
          until=*) echo waits; until [ -f "${argument#*=}" ]; do sleep 0.02; done ;;
        esac
      done
      cat "${jars%%:*}" "${jars##*:}" "${archive:-/dev/null}" ${native:+"$native/libonnxruntime.so"} | tr '\\n' ' '
      """;

  private static final String JAR =
      """
      #!/bin/sh
      mkdir -p "$3"
      printf native > "$3/libonnxruntime.so"
      """;

  /** No process has so high a number. */
  private static final String NOBODY = "999999999";

  private static final String WHOLE = " runtimeclasses native";
  private static final String FIRST = "1" + WHOLE;

  @TempDir Path folder;

  private Path clone;
  private Path tools;
  private Path builds;

  private final List<Process> started = new ArrayList<>();

  private record Call(int code, String out, String err) {}

  @BeforeEach
  void makeClone() throws IOException {
    clone = Files.createDirectories(folder.resolve("a clone"));
    tools = Files.createDirectories(folder.resolve("tools/bin"));
    builds = clone.resolve(".squint");
    Files.copy(
        Path.of("..", "..", "squint"), clone.resolve("squint"), StandardCopyOption.COPY_ATTRIBUTES);
    Files.createDirectories(clone.resolve("one/two/src/main"));
    for (String file : List.of("pom.xml", "one/two/pom.xml", "one/two/src/main/Source")) {
      Files.createFile(clone.resolve(file));
    }
    tool("mvn", MAVEN);
    tool("java", JAVA);
    tool("jar", JAR);
  }

  @AfterEach
  void endAll() {
    started.forEach(Process::destroyForcibly);
  }

  private void tool(String name, String script) throws IOException {
    Path file = Files.writeString(tools.resolve(name), script);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @Test
  void onlyTheFirstCallBuilds() throws Exception {
    Call first = call();
    assertThat(first.out()).isEqualTo(FIRST);
    assertThat(first.err().lines())
        .containsExactly(
            "squint: building (the first time this downloads its libraries, a few minutes)",
            "squint: building Squint CLI (8 of 8)",
            "squint: preparing a fast start",
            "squint: built");
    assertThat(call()).isEqualTo(new Call(0, FIRST, ""));
    assertThat(left()).containsExactly("build");
  }

  /** So that neither a clean nor another Maven takes anything from it. */
  @Test
  void aBuildWritesToItsOwnFolderOnly() throws Exception {
    List<Path> before = files();
    call();
    assertThat(files()).filteredOn(file -> !file.startsWith(builds)).isEqualTo(before);
  }

  @Test
  void twoFirstCallsWaitForEachOther() throws Exception {
    Started one = start("0.5");
    Started other = start("0.5");
    List<Call> calls = List.of(one.end(), other.end());
    assertThat(calls).extracting(Call::out).containsOnly(FIRST);
    assertThat(calls)
        .extracting(Call::err)
        .filteredOn(err -> err.equals("squint: waiting for another build\n"))
        .hasSize(1);
    assertThat(Files.readAllLines(folder.resolve("maven"))).containsExactly("begin", "end");
  }

  /** None goes on before all have seen that nobody builds: they remove what a dead one left. */
  @Test
  void firstCallsInTheSameMomentBuildOnce() throws Exception {
    Files.createDirectories(builds.resolve("builders"));
    Files.createFile(builds.resolve("builders/" + NOBODY));
    tool(
        "rm",
        """
        #!/bin/sh
        case "$*" in */%1$s) echo >> '%2$s'; until [ "$(grep -c '' '%2$s')" -ge 4 ]; do :; done ;; esac
        PATH=${PATH#*:} exec rm "$@"
        """
            .formatted(NOBODY, Files.createFile(folder.resolve("looked"))));
    List<Call> calls = new ArrayList<>();
    for (Started one : List.of(start("0.3"), start("0.3"), start("0.3"), start("0.3"))) {
      calls.add(one.end());
    }
    assertThat(calls).extracting(Call::out).containsOnly(FIRST);
    assertThat(Files.readAllLines(folder.resolve("maven"))).containsExactly("begin", "end");
  }

  @Test
  void aRebuildTakesNothingFromARunningProcess() throws Exception {
    call();
    Path go = folder.resolve("go");
    Started running = start("0", "until=" + go);
    assertThat(running.process().getInputStream().readNBytes(6)).asString().isEqualTo("waits\n");
    save("one/two/src/main/Source");
    assertThat(call().out()).startsWith("2 ");
    save("one/two/pom.xml");
    assertThat(call().out()).startsWith("3 ");
    assertThat(left()).containsExactly("build", "build");
    Files.createFile(go);
    assertThat(running.end()).isEqualTo(new Call(0, FIRST, ""));
    save("pom.xml");
    assertThat(call().out()).startsWith("4 ");
    assertThat(left()).containsExactly("build");
  }

  @Test
  void aClosedStreamIsNoPlaceForAFile() throws Exception {
    assertThat(shell("\"$@\" >&-", "0").end())
        .isEqualTo(
            new Call(
                1,
                "",
                "squint: standard output is closed, so nothing could be said; check where it goes\n"));
    assertThat(shell("\"$@\" 2>&-", "0").end()).isEqualTo(new Call(0, FIRST, ""));
  }

  @Test
  void aSourceSavedWhileMavenRanIsBuiltNextTime() throws Exception {
    Files.createFile(folder.resolve("save"));
    assertThat(call().out()).startsWith("1 ");
    assertThat(call().out()).startsWith("2 ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"libonnxruntime.so", "onnxruntime-1.jar", "squint.jsa", "built"})
  void aFileCutShortIsBuiltAgain(String name) throws Exception {
    call();
    Path file = find(name);
    Files.write(file, Files.readString(file).substring(0, 4).getBytes(StandardCharsets.UTF_8));
    assertThat(call().out()).isEqualTo(FIRST.replace('1', '2'));
    assertThat(call()).isEqualTo(new Call(0, FIRST.replace('1', '2'), ""));
  }

  private Path find(String name) throws IOException {
    return files().stream().filter(file -> file.endsWith(name)).findFirst().orElseThrow();
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.walk(clone)) {
      return files.sorted().toList();
    }
  }

  @Test
  void aKillAtAnyPointIsHealed() throws Exception {
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 15; i += Share.isWhole() ? 1 : 3) {
      save("pom.xml");
      Process killed = start("0.05").process();
      Thread.sleep(random.nextInt(20 + 30 * i));
      List<ProcessHandle> all = killed.descendants().toList();
      killed.destroyForcibly().waitFor();
      // Maven goes on for a while.
      if (random.nextBoolean()) {
        all.forEach(ProcessHandle::destroyForcibly);
      }
    }
    save("pom.xml");
    Call healed = call();
    assertThat(healed.code()).isZero();
    assertThat(healed.out()).endsWith(WHOLE);
    assertThat(call()).isEqualTo(new Call(0, healed.out(), ""));
    assertThat(left()).containsExactly("build");
  }

  @Test
  void theNumberOfAnotherProcessHoldsNobodyUpForEver() throws Exception {
    Files.createDirectories(builds.resolve("builders"));
    Path left = Files.createFile(builds.resolve("builders/" + ProcessHandle.current().pid()));
    Started waiting = start("0");
    assertThat(waiting.process().waitFor(500, TimeUnit.MILLISECONDS)).isFalse();
    Files.setLastModifiedTime(left, FileTime.from(Instant.now().minus(Duration.ofMinutes(40))));
    assertThat(waiting.end().out()).isEqualTo(FIRST);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mkdir", "mv", "touch", "wc", "tee"})
  void aFullDiskIsOneSentenceAndIsHealed(String failing) throws Exception {
    for (int nth = 1; nth <= (Share.isWhole() ? 3 : 2); nth++) {
      Path calls = Files.createTempFile(folder, "calls", "");
      tool(
          failing,
          """
          #!/bin/sh
          echo >> '%s'
          [ "$(grep -c '' '%s')" -ne %d ] || { echo 'No space left on device' >&2; exit 1; }
          PATH=${PATH#*:} exec %s "$@"
          """
              .formatted(calls, calls, nth, failing));
      save("pom.xml");
      Call full = call();
      Files.delete(tools.resolve(failing));
      if (full.code() == 0) {
        assertThat(full.out()).endsWith(WHOLE);
      } else {
        assertThat(full.code()).isEqualTo(1);
        assertThat(full.out()).isEmpty();
        assertThat(full.err().lines())
            .as("%s number %d", failing, nth)
            .last()
            .asString()
            .matches("squint: (cannot write to .*whether the disk is full|the build failed.*)");
      }
      Call healed = call();
      assertThat(healed.code()).isZero();
      assertThat(healed.out()).endsWith(WHOLE);
      assertThat(left()).containsExactly("build");
    }
  }

  private void save(String file) throws IOException {
    Files.setLastModifiedTime(clone.resolve(file), FileTime.from(Instant.now()));
  }

  /** What lies there besides the name of the current build, without numbers. */
  private List<String> left() throws IOException {
    try (Stream<Path> files = Files.list(builds)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> !name.equals("current") && !name.equals("builders"))
          .map(name -> name.replaceAll("-.*", ""))
          .sorted()
          .toList();
    }
  }

  private Call call() throws IOException, InterruptedException {
    return start("0").end();
  }

  private Started start(String mavenSeconds, String... arguments) throws IOException {
    return shell("exec \"$@\"", mavenSeconds, arguments);
  }

  private Started shell(String line, String mavenSeconds, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of("sh", "-c", line, "sh"));
    command.add(clone.resolve("squint").toString());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("JAVA_HOME", tools.getParent().toString());
    builder.environment().compute("PATH", (name, path) -> tools + ":" + path);
    builder.environment().put("NOTES", folder.toString());
    builder.environment().put("MAVEN_SECONDS", mavenSeconds);
    Path err = Files.createTempFile(folder, "err", "");
    started.add(builder.redirectError(err.toFile()).start());
    return new Started(started.get(started.size() - 1), err);
  }

  private record Started(Process process, Path err) {

    Call end() throws IOException, InterruptedException {
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Call(process.waitFor(), out.strip(), Files.readString(err));
    }
  }
}
