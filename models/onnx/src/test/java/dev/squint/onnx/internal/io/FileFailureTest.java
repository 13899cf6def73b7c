package dev.squint.onnx.internal.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NotDirectoryException;
import java.util.List;
import org.junit.jupiter.api.Test;

class FileFailureTest {

  @Test
  void namesNoClass() {
    List<IOException> failures =
        List.of(
            new AccessDeniedException("/a"),
            new NotDirectoryException("/a"),
            new FileSystemException("/a"),
            new FileSystemException("/a", null, "No space\nleft on device"),
            new IOException(),
            new IOException("File too large"));
    assertThat(failures)
        .extracting(FileFailure::reason)
        .containsExactly(
            "permission denied",
            "not a folder",
            "input or output error",
            "No space?left on device",
            "input or output error",
            "File too large");
  }
}
