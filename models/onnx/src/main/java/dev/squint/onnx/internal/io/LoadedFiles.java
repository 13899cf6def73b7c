package dev.squint.onnx.internal.io;

import dev.squint.error.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * The files of a loaded model, as they were when it was loaded. Segments of the decoder are read
 * from them when a strategy first asks, and on Linux ONNX Runtime maps weights into memory instead
 * of reading them: what is written over a file changes answers of sessions that are open already,
 * and a file cut short ends the process when its end is looked at. So size, time of the last change
 * and identity are looked at with every request, a few microseconds for each file.
 */
public final class LoadedFiles {

  private record State(Path file, Optional<Stamp> stamp) {

    static State of(Path file) {
      try {
        return new State(file, Optional.of(Stamp.of(file)));
      } catch (NoSuchFileException e) {
        return new State(file, Optional.empty());
      } catch (IOException e) {
        throw new ModelException("cannot read %s: %s".formatted(file, FileFailure.reason(e)), e);
      }
    }
  }

  private record Stamp(long bytes, FileTime changed, Object key) {

    static Stamp of(Path file) throws IOException {
      BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
      return new Stamp(now.size(), now.lastModifiedTime(), Objects.toString(now.fileKey()));
    }
  }

  private final Map<Path, State> states = new LinkedHashMap<>();

  /** Takes down how files are before they are read. */
  public LoadedFiles(Collection<Path> files) {
    for (Path file : files) {
      states.computeIfAbsent(file.toAbsolutePath(), path -> State.of(file));
    }
  }

  /** These files, as they were, and others. */
  public LoadedFiles and(Collection<Path> files) {
    LoadedFiles all = new LoadedFiles(files);
    all.states.putAll(states);
    return all;
  }

  /** Bytes of all of them, as they were. */
  public long bytes() {
    return states.values().stream()
        .flatMap(state -> state.stamp().stream())
        .mapToLong(Stamp::bytes)
        .sum();
  }

  /**
   * Refuses a model of which a file is another now. One that is gone is not: what is open does not
   * need it.
   */
  public void requireUnchanged() {
    for (State before : states.values()) {
      State now = State.of(before.file());
      if (now.stamp().isPresent() && !now.equals(before)) {
        throw changed(before, null);
      }
    }
  }

  /** What to say of a request that has failed: a file that is gone or another explains it. */
  public ModelException explained(ModelException failure) {
    return states.values().stream()
        .filter(before -> !State.of(before.file()).equals(before))
        .findFirst()
        .map(before -> changed(before, failure))
        .orElse(failure);
  }

  private static ModelException changed(State before, ModelException cause) {
    return new ModelException(
        "%s has changed since the model was loaded; load it again".formatted(before.file()), cause);
  }
}
