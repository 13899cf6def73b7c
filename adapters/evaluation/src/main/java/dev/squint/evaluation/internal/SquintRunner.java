package dev.squint.evaluation.internal;

import dev.squint.Answer;
import dev.squint.DataException;
import dev.squint.PreparedImage;
import dev.squint.Squint;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.SamplingOptions;
import dev.squint.error.SquintException;
import dev.squint.evaluation.data.MediaSource;
import dev.squint.evaluation.data.Sample;
import dev.squint.image.ImageException;
import dev.squint.image.ImageInput;
import dev.squint.pruning.shape.ModelShape;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Puts questions to a loaded model.
 *
 * @param squint the model
 * @param precision which of its graphs are loaded, empty for the most exact
 * @param seed the run's seed
 * @param maxNewTokens longest answer
 */
public record SquintRunner(Squint squint, String precision, long seed, int maxNewTokens)
    implements ModelRunner {

  /** The image in full and in the sizes that configurations resize it to, each encoded once. */
  private final class Session implements ImageSession {

    private final ImageInput image;
    private final Map<Optional<RunConfig.Grid>, PreparedImage> encoded = new HashMap<>();

    Session(ImageInput image) {
      this.image = image;
    }

    @Override
    public ModelOutput ask(RunConfig config, Sample sample, int question) {
      try {
        PreparedImage seen = encoded.computeIfAbsent(config.grid(), this::encode);
        GenerationOptions options =
            GenerationOptions.builder()
                .maxNewTokens(maxNewTokens)
                .sampling(SamplingOptions.greedy())
                .seed(config.seedOf(seed, question))
                .build();
        Answer answer = squint.ask(seen, sample.question(), config.strategy(), options);
        return new ModelOutput(answer.text(), Optional.of(answer.trace()));
      } catch (SquintException e) {
        throw new AnswerException(e);
      }
    }

    private PreparedImage encode(Optional<RunConfig.Grid> grid) {
      return grid.isEmpty()
          ? squint.prepare(image)
          : squint.prepare(image, grid.get().rows(), grid.get().columns());
    }

    @Override
    public byte[] overlay(ModelOutput output) {
      return squint.overlay(image, output.trace().orElseThrow());
    }

    @Override
    public void close() {
      encoded.values().forEach(PreparedImage::close);
      encoded.clear();
    }
  }

  @Override
  public String name() {
    return squint.facts().name();
  }

  @Override
  public String hash() {
    return ModelHash.of(squint.folder(), precision);
  }

  @Override
  public String provider() {
    return squint.provider();
  }

  @Override
  public String runtimeVersion() {
    return squint.runtimeVersion();
  }

  @Override
  public String promptTemplate() {
    return squint.promptTemplate();
  }

  @Override
  public Optional<ModelShape> facts() {
    return Optional.of(squint.facts());
  }

  @Override
  public boolean canResize() {
    return squint.canResize();
  }

  @Override
  public boolean reloads(List<RunConfig> configs) {
    return squint.splitsOf(configs.stream().map(RunConfig::strategy).toList())
        > squint.maxCachedSplits();
  }

  @Override
  public ImageSession open(Sample sample) {
    try {
      return new Session(image(sample.medium()));
    } catch (ImageException | DataException e) {
      throw new AnswerException(e);
    }
  }

  private static ImageInput image(MediaSource medium) {
    if (medium instanceof MediaSource.ImageFile file) {
      return ImageInput.of(file.file());
    }
    if (medium instanceof MediaSource.InlineImage inline) {
      return ImageInput.of(inline.encoded());
    }
    throw new DataException(
        medium.name() + " is a video, and the model takes images only; ask about its frames");
  }
}
