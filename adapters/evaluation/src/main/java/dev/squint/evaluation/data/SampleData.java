package dev.squint.evaluation.data;

import dev.squint.DataException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * The small question set that lies in the jar: 240 questions about 48 scenes of the test split.
 * ImageFinder are read out of the jar as they are asked about, until this is closed.
 */
public final class SampleData implements AutoCloseable {

  private static final String FOLDER = "scenes";

  private final Path folder;
  private final Optional<FileSystem> jar;

  private SampleData(Path folder, Optional<FileSystem> jar) {
    this.folder = folder;
    this.jar = jar;
  }

  /** Opens it. */
  public static SampleData open() {
    try {
      URI place = SampleData.class.getResource(FOLDER + "/questions.json").toURI();
      if (!place.getScheme().equals("jar")) {
        return new SampleData(Path.of(place).getParent(), Optional.empty());
      }
      String text = place.toString();
      Path archive = Path.of(URI.create(text.substring("jar:".length(), text.indexOf("!/"))));
      FileSystem jar = FileSystems.newFileSystem(archive, Map.of());
      return new SampleData(
          jar.getPath(text.substring(text.indexOf("!/") + 1)).getParent(), Optional.of(jar));
    } catch (IOException | URISyntaxException e) {
      throw new DataException("the question set within the jar cannot be read; get it again", e);
    }
  }

  /** Reads the questions. */
  public DataSet read() {
    return DataSets.read(folder);
  }

  @Override
  public void close() {
    if (jar.isPresent()) {
      try {
        jar.get().close();
      } catch (IOException e) {
        throw new DataException("the question set within the jar cannot be closed", e);
      }
    }
  }
}
