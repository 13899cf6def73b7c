package dev.squint.examples.compare;

import dev.squint.adapters.Answer;
import dev.squint.adapters.AskOptions;
import dev.squint.adapters.DataException;
import dev.squint.adapters.ImageInput;
import dev.squint.adapters.SeenPicture;
import dev.squint.adapters.Squint;
import dev.squint.examples.data.Medium;
import dev.squint.examples.data.Sample;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Puts questions to the model.
 *
 * @param squint the model
 * @param seed the run's seed
 * @param maxNewTokens longest answer
 */
record Asker(Squint squint, long seed, int maxNewTokens) {

  /**
   * A picture seen in full and in the sizes that cells resize it to, each encoded once. For one
   * thread.
   */
  final class Seen implements AutoCloseable {

    private final ImageInput image;
    private final Map<Optional<Cell.Grid>, SeenPicture> pictures = new HashMap<>();

    private Seen(ImageInput image) {
      this.image = image;
    }

    Answer ask(Cell cell, Sample sample, int question) {
      SeenPicture picture = pictures.computeIfAbsent(cell.grid(), grid -> see(image, grid));
      AskOptions options = new AskOptions(maxNewTokens, cell.seedOf(seed, question), false);
      return squint.ask(picture, sample.question(), cell.strategy(), options);
    }

    ImageInput image() {
      return image;
    }

    @Override
    public void close() {
      pictures.values().forEach(SeenPicture::close);
      pictures.clear();
    }
  }

  /**
   * Opens what a question is about.
   *
   * @throws DataException if the model takes no such thing
   * @throws dev.squint.adapters.ImageException if the picture cannot be used
   */
  Seen open(Medium medium) {
    return new Seen(image(medium));
  }

  /** A request as a user makes it: the picture is read and encoded for it alone. */
  Answer askAlone(Cell cell, Sample sample, int question) {
    try (Seen seen = open(sample.medium())) {
      return seen.ask(cell, sample, question);
    }
  }

  private SeenPicture see(ImageInput image, Optional<Cell.Grid> grid) {
    return grid.isEmpty()
        ? squint.see(image)
        : squint.see(image, grid.get().rows(), grid.get().columns());
  }

  private static ImageInput image(Medium medium) {
    if (medium instanceof Medium.ImageFile file) {
      return ImageInput.of(file.file());
    }
    if (medium instanceof Medium.InlineImage inline) {
      return ImageInput.of(inline.encoded());
    }
    throw new DataException(
        medium.name() + " is a video, and the model takes pictures only; ask about its frames");
  }
}
