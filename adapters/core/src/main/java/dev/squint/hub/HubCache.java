package dev.squint.hub;

import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.internal.io.AtomicFiles;
import dev.squint.onnx.internal.io.FileFailure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A repository in the cache that Hugging Face's library shares: contents by their hash in {@code
 * blobs}, a folder of links to them per commit in {@code snapshots}, the commit of each branch in
 * {@code refs}.
 *
 * @param root the repository's folder
 * @param locks where whoever downloads a file locks it
 */
record HubCache(Path root, Path locks) {

  static HubCache of(HubOptions options, String repository) {
    String name = "models--" + repository.replace("/", "--");
    return new HubCache(
        options.cache().resolve(name), options.cache().resolve(".locks").resolve(name));
  }

  Path blob(String hash) {
    return root.resolve("blobs").resolve(hash);
  }

  Path snapshot(String commit) {
    return root.resolve("snapshots").resolve(commit);
  }

  /** The folder of a revision as it was downloaded last, if it was. */
  Optional<Path> known(String revision) {
    if (Listing.COMMIT.matcher(revision).matches()) {
      return Optional.of(snapshot(revision)).filter(Files::isDirectory);
    }
    Path reference = root.resolve("refs").resolve(revision);
    if (!Files.isRegularFile(reference)) {
      return Optional.empty();
    }
    try {
      String commit = Files.readString(reference).strip();
      return Optional.of(commit)
          .filter(text -> Listing.COMMIT.matcher(text).matches())
          .map(this::snapshot)
          .filter(Files::isDirectory);
    } catch (IOException e) {
      throw failed(reference, e);
    }
  }

  /** Makes a file of a snapshot of what lies in the blobs. */
  void link(String commit, HubFile file) {
    Path target = snapshot(commit).resolve(file.path());
    Path blob = blob(file.hash());
    try {
      Files.createDirectories(target.getParent());
      if (Files.exists(target)) {
        if (Files.isSameFile(target, blob)) {
          return;
        }
        Files.delete(target);
      } else if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
        Files.delete(target);
      }
      link(target, blob);
    } catch (FileAlreadyExistsException e) {
      // Another process has just made it.
      if (!Files.exists(target)) {
        throw failed(target, e);
      }
    } catch (IOException e) {
      throw failed(target, e);
    }
  }

  private static void link(Path target, Path blob) throws IOException {
    try {
      Files.createSymbolicLink(target, target.getParent().relativize(blob));
    } catch (UnsupportedOperationException e) {
      Files.createLink(target, blob);
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (FileSystemException e) {
      // Some systems let no ordinary user make symbolic links.
      Files.createLink(target, blob);
    }
  }

  /** Writes down what a branch or tag is now. */
  void refer(String revision, String commit) {
    if (revision.equals(commit)) {
      return;
    }
    Path reference = root.resolve("refs").resolve(revision);
    try {
      Files.createDirectories(reference.getParent());
      AtomicFiles.replace(reference, commit.getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      throw failed(reference, e);
    }
  }

  static HubException failed(Path file, IOException e) {
    return new HubException(
        Kind.BAD_REQUEST,
        "%s cannot be written (%s); check who may write there and whether the disk is full, or set HF_HUB_CACHE to another folder"
            .formatted(file, FileFailure.reason(e)),
        e);
  }
}
