package dev.squint.onnx.internal.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.condition.OS.LINUX;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.io.TempDir;

/** Files are there whole or not at all. */
class AtomicFilesTest {

  @TempDir Path temp;

  @Test
  void whatIsMadeAnewReplacesNeitherAFileNorALink() throws IOException {
    Path taken = Files.writeString(temp.resolve("taken"), "older");
    Path elsewhere = temp.resolve("elsewhere");
    Path link = Files.createSymbolicLink(temp.resolve("link"), elsewhere);
    for (Path path : new Path[] {taken, link}) {
      assertThatThrownBy(() -> AtomicFiles.create(path, new byte[1]))
          .isInstanceOf(FileAlreadyExistsException.class);
    }
    assertThat(taken).hasContent("older");
    assertThat(elsewhere).doesNotExist();
  }

  @Test
  void aReplacedLinkLeavesWhatItLedTo() throws IOException {
    Path original = Files.writeString(temp.resolve("original"), "older");
    Path link = Files.createSymbolicLink(temp.resolve("link"), original);
    AtomicFiles.replace(link, new byte[] {7});
    assertThat(original).hasContent("older");
    assertThat(Files.isRegularFile(link, LinkOption.NOFOLLOW_LINKS)).isTrue();
    assertThat(temp.toFile().list()).containsExactlyInAnyOrder("original", "link");
  }

  @Test
  void aFileInUseIsReplacedAndNotOverwritten() throws IOException {
    Path file = Files.writeString(temp.resolve("file"), "older");
    Path held = Files.createLink(temp.resolve("held"), file);
    AtomicFiles.replace(file, new byte[] {7});
    assertThat(file).hasBinaryContent(new byte[] {7});
    assertThat(held).hasContent("older");
  }

  @Test
  void namesMayBeAsLongAsTheyCanBe() throws IOException {
    Path file = temp.resolve("n".repeat(255));
    AtomicFiles.replace(file, new byte[] {7});
    assertThat(file).hasBinaryContent(new byte[] {7});
    Path emoji = temp.resolve("\uD83D\uDE00".repeat(60));
    AtomicFiles.replace(emoji, new byte[] {7});
    assertThat(emoji).hasBinaryContent(new byte[] {7});
  }

  @Test
  void whatFailsLeavesWhatWasThereAndNothingElse() throws IOException {
    Path folder = Files.createDirectory(temp.resolve("folder"));
    Path inside = Files.writeString(folder.resolve("inside"), "older");
    assertThatThrownBy(() -> AtomicFiles.replace(folder, new byte[1]))
        .isInstanceOf(IOException.class);
    assertThat(inside).hasContent("older");
    Path other = Files.createDirectory(temp.resolve("other"));
    assertThatThrownBy(() -> AtomicFiles.exchange(temp.resolve("missing"), other))
        .isInstanceOf(IOException.class);
    assertThat(temp.toFile().list()).containsExactlyInAnyOrder("folder", "other");
  }

  @Test
  void whatAKilledProcessLeftIsRemoved() throws IOException {
    Path left =
        Files.createDirectory(temp.resolve(".x.%s.squint-part".formatted(UUID.randomUUID())));
    Files.setLastModifiedTime(left, FileTime.from(Instant.now().minusSeconds(7200)));
    AtomicFiles.replace(temp.resolve("file"), new byte[1]);
    assertThat(temp.toFile().list()).containsExactly("file");
  }

  @Test
  void aFolderIsRemovedWithItsLinksButNotWhatTheyLeadTo() throws IOException {
    Path kept = Files.writeString(Files.createDirectory(temp.resolve("kept")).resolve("it"), "it");
    Path folder = Files.createDirectories(temp.resolve("folder/inner/inmost"));
    Files.writeString(folder.resolve("file"), "of it");
    Files.createSymbolicLink(folder.resolve("link"), kept.getParent());
    Files.createSymbolicLink(folder.resolve("nowhere"), temp.resolve("missing"));
    WorkFolder.delete(temp.resolve("folder"));
    WorkFolder.delete(temp.resolve("missing"));
    assertThat(kept).hasContent("it");
    assertThat(temp.toFile().list()).containsExactly("kept");
  }

  @Test
  @EnabledOnOs(LINUX)
  void whatIsInTheWayIsSaid() throws IOException {
    Path missing = temp.resolve("missing");
    assertThat(AtomicFiles.obstacle(missing.resolve("file")))
        .contains("there is no folder " + missing + "; create it first");
    assertThat(AtomicFiles.obstacle(Path.of("/proc/file")))
        .contains("you may not write there; choose another folder");
    assertThat(AtomicFiles.obstacle(temp.resolve("file"))).isEmpty();
    assertThat(temp.toFile().list()).isEmpty();
  }
}
