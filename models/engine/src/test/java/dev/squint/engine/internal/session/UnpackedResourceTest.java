package dev.squint.engine.internal.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.condition.OS.LINUX;

import dev.squint.error.ModelException;
import dev.squint.fixtures.FileSums;
import dev.squint.fixtures.Share;
import dev.squint.onnx.internal.io.UnpackedResource;
import dev.squint.onnx.internal.io.WorkFolder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What lies in the cache is what the jar holds, whatever happened to it. */
class UnpackedResourceTest {

  private final FileTime longAgo = FileTime.from(Instant.now().minusSeconds(7200));

  @TempDir Path temp;

  private static byte[] content() {
    byte[] content = new byte[300_000];
    new Random(1).nextBytes(content);
    return content;
  }

  private URL inJar() throws IOException {
    Path jar = temp.resolve("some.jar");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      zip.putNextEntry(new ZipEntry("native/library.so"));
      zip.write(content());
    }
    return URI.create("jar:" + jar.toUri() + "!/native/library.so").toURL();
  }

  private enum Harm {
    TRUNCATED {
      @Override
      void to(Path file) throws IOException {
        Files.write(file, Arrays.copyOf(content(), 100_000));
      }
    },
    EMPTIED {
      @Override
      void to(Path file) throws IOException {
        Files.write(file, new byte[0]);
      }
    },
    ZEROED {
      @Override
      void to(Path file) throws IOException {
        Files.write(file, new byte[content().length]);
      }
    },
    ZEROED_AT_THE_END {
      @Override
      void to(Path file) throws IOException {
        byte[] content = content();
        Arrays.fill(content, content.length - 4096, content.length, (byte) 0);
        Files.write(file, content);
      }
    },
    ONE_BIT_TURNED {
      @Override
      void to(Path file) throws IOException {
        byte[] content = content();
        content[123_456] ^= 4;
        Files.write(file, content);
      }
    },
    DELETED {
      @Override
      void to(Path file) throws IOException {
        Files.delete(file);
      }
    },
    A_FOLDER {
      @Override
      void to(Path file) throws IOException {
        Files.delete(file);
        Files.writeString(Files.createDirectory(file).resolve("in it"), "something");
      }
    },
    A_DANGLING_LINK {
      @Override
      void to(Path file) throws IOException {
        Files.delete(file);
        Files.createSymbolicLink(file, file.resolveSibling("nowhere"));
      }
    };

    abstract void to(Path file) throws IOException;
  }

  @ParameterizedTest
  @EnumSource(Harm.class)
  void whatWasHarmedIsUnpackedAgain(Harm harm) throws IOException {
    UnpackedResource resource =
        new UnpackedResource(inJar(), temp.resolve("cache"), "native/library.so");
    Path file = resource.verified();
    assertThat(file).hasBinaryContent(content());
    FileTime time = Files.getLastModifiedTime(file);
    harm.to(file);
    if (Files.isRegularFile(file)) {
      Files.setLastModifiedTime(file, time);
    }
    assertThat(resource.verified()).isEqualTo(file).hasBinaryContent(content());
    assertThat(filesNextTo(file)).containsExactly(file);
    assertThat(filesNextTo(file.getParent())).containsExactly(file.getParent());
  }

  @Test
  void whatIsWholeIsNotTouched() throws IOException {
    UnpackedResource resource = new UnpackedResource(inJar(), temp.resolve("cache"), "library.so");
    Path file = resource.verified();
    Files.setLastModifiedTime(file, longAgo);
    Files.setLastModifiedTime(file.getParent(), longAgo);
    resource.verified();
    assertThat(Files.getLastModifiedTime(file)).isEqualTo(longAgo);
    assertThat(Files.getLastModifiedTime(file.getParent())).isEqualTo(longAgo);
  }

  @Test
  void anInterruptedThreadUnpacksAllTheSame() throws IOException {
    UnpackedResource resource = new UnpackedResource(inJar(), temp.resolve("cache"), "library.so");
    for (int time = 0; time < 2; time++) {
      Thread.currentThread().interrupt();
      try {
        resource.verified();
      } finally {
        assertThat(Thread.interrupted()).isTrue();
      }
    }
    assertThat(resource.verified()).hasBinaryContent(content());
  }

  @Test
  void aFileInUseIsReplacedAndNotOverwritten() throws IOException {
    UnpackedResource resource = new UnpackedResource(inJar(), temp.resolve("cache"), "library.so");
    Path file = resource.verified();
    Path held = Files.createLink(temp.resolve("held"), file);
    Files.write(file, new byte[10]);
    assertThat(resource.verified()).hasBinaryContent(content());
    assertThat(held).hasBinaryContent(new byte[10]);
  }

  @Test
  void aDamagedJarIsNamed() throws IOException {
    URL resource = inJar();
    Path jar = temp.resolve("some.jar");
    byte[] bytes = Files.readAllBytes(jar);
    for (int i = 100_000; i < 100_100; i++) {
      bytes[i] ^= 1;
    }
    Files.write(jar, bytes);
    Path file = temp.resolve("cache/library.so");
    assertThatThrownBy(
            () -> new UnpackedResource(resource, temp.resolve("cache"), "library.so").verified())
        .isInstanceOfAny(ModelException.class, IOException.class);
    assertThat(filesNextTo(file)).isEmpty();
  }

  @Test
  @EnabledOnOs(LINUX)
  void whereNothingCanBeWrittenThatIsSaid() throws IOException {
    URL resource = inJar();
    assertThatThrownBy(
            () -> new UnpackedResource(resource, Path.of("/proc/squint"), "library.so").verified())
        .isInstanceOf(IOException.class);
    assertThatThrownBy(() -> new EmbeddedModel("tiny-llava").unpack(Path.of("/proc")))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("--cache FOLDER");
  }

  private static List<Path> filesNextTo(Path file) throws IOException {
    try (Stream<Path> files = Files.list(file.getParent())) {
      return files.toList();
    }
  }

  private static Process child(String what, Path path) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx128m",
            "@../../models/fixtures/java.args",
            "-cp",
            System.getProperty("java.class.path"),
            UnpackMain.class.getName(),
            what,
            path.toString())
        .redirectErrorStream(true)
        .start();
  }

  @Test
  void whatKilledProcessesLeftIsRemovedAndWhatLivingOnesWriteIsNot() throws Exception {
    Path folder = temp.resolve("native");
    List<Process> children = new ArrayList<>();
    List<Path> folders = new ArrayList<>();
    try {
      for (int i = 0; i < 2; i++) {
        Process child = child("begin", folder);
        children.add(child);
        BufferedReader said = child.inputReader(StandardCharsets.UTF_8);
        folders.add(Path.of(said.readLine()));
      }
      children.get(0).destroyForcibly().waitFor();
      assertThat(folders).allMatch(left -> Files.exists(left.resolve("half")));
      new UnpackedResource(inJar(), folder, "library.so").verified();
      assertThat(folders.get(0)).doesNotExist();
      assertThat(folders.get(1).resolve("half")).exists();
    } finally {
      for (Process child : children) {
        child.destroyForcibly().waitFor();
      }
    }
    Files.delete(folder.resolve("library.so"));
    new UnpackedResource(inJar(), folder, "library.so").verified();
    assertThat(folders.get(1)).doesNotExist();
  }

  @Test
  void aFolderWithoutALockIsLeftWhenNothingInItChanges() throws IOException {
    Path old = left(longAgo, longAgo);
    Path filling = left(longAgo, FileTime.from(Instant.now()));
    Path young = left(FileTime.from(Instant.now()), longAgo);
    new UnpackedResource(inJar(), temp.resolve("native"), "library.so").verified();
    assertThat(old).doesNotExist();
    assertThat(List.of(filling, young)).allMatch(Files::exists);
  }

  private Path left(FileTime folderTime, FileTime fileTime) throws IOException {
    Path folder =
        Files.createDirectory(temp.resolve(".x.%s.squint-part".formatted(UUID.randomUUID())));
    Path file = Files.writeString(folder.resolve("half"), "of it");
    Files.setLastModifiedTime(file, fileTime);
    Files.setLastModifiedTime(folder, folderTime);
    return folder;
  }

  @Test
  void processesAtOnceFindTheSame() throws Exception {
    int processes = Share.isWhole() ? 8 : 2;
    Map<String, String> whole = FileSums.of(new EmbeddedModel("tiny-llava").unpack(temp));
    for (boolean damaged : new boolean[] {false, true}) {
      if (damaged) {
        harmAll();
      } else {
        WorkFolder.delete(temp.resolve("models"));
      }
      List<Process> children = new ArrayList<>();
      for (int i = 0; i < processes; i++) {
        children.add(child("unpack", temp));
      }
      Set<String> said = new HashSet<>();
      for (Process child : children) {
        said.add(new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip());
        assertThat(child.waitFor()).as(said.toString()).isZero();
      }
      assertThat(said).containsExactly(whole.toString());
      try (Stream<Path> all = Files.walk(temp)) {
        assertThat(all).noneMatch(path -> path.toString().contains("squint-part"));
      }
    }
  }

  private void harmAll() throws IOException {
    try (Stream<Path> all = Files.walk(temp.resolve("models"))) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        try (OutputStream out = Files.newOutputStream(file)) {
          out.write(new byte[100]);
        }
      }
    }
  }
}
