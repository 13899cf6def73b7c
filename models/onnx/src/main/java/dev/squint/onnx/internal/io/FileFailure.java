package dev.squint.onnx.internal.io;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/** What the system said of a file, in words; Java says it by the name of a class. */
public final class FileFailure {

  private FileFailure() {}

  /**
   * One clause for people.
   *
   * @param failure what reading or writing has thrown
   */
  public static String reason(IOException failure) {
    if (failure instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (failure instanceof NoSuchFileException) {
      return "it is gone";
    }
    if (failure instanceof NotDirectoryException) {
      return "not a folder";
    }
    if (failure instanceof FileAlreadyExistsException) {
      return "a file of that name is in the way";
    }
    if (failure instanceof DirectoryNotEmptyException) {
      return "a folder is not empty";
    }
    String said =
        failure instanceof FileSystemException named ? named.getReason() : failure.getMessage();
    return said == null || said.isBlank() ? "input or output error" : Printable.of(said);
  }
}
