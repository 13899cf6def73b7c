package dev.squint.evaluation.internal;

import dev.squint.evaluation.Answerer;
import dev.squint.evaluation.data.Sample;
import dev.squint.onnx.internal.io.Sha256;
import dev.squint.pruning.shape.ModelShape;
import java.util.List;
import java.util.Optional;

/**
 * Puts questions to somebody's service.
 *
 * @param name what to call it
 * @param version tells apart what may answer otherwise
 * @param answerer the service
 * @param seed the run's seed
 * @param maxNewTokens longest answer
 */
public record ServiceRunner(
    String name, String version, Answerer answerer, long seed, int maxNewTokens)
    implements ModelRunner {

  /** A service reads the image itself. */
  private final class Session implements ImageSession {

    @Override
    public ModelOutput ask(RunConfig config, Sample sample, int question) {
      Answerer.Reply reply;
      try {
        reply =
            answerer.answer(
                new Answerer.Request(
                    sample, config.strategy(), maxNewTokens, config.seedOf(seed, question)));
      } catch (RuntimeException e) {
        throw new AnswerException(e);
      }
      return new ModelOutput(reply.text(), reply.trace());
    }

    @Override
    public byte[] overlay(ModelOutput output) {
      return new byte[0];
    }

    @Override
    public void close() {
      // Holds nothing.
    }
  }

  @Override
  public String hash() {
    return Sha256.of(name, version);
  }

  @Override
  public String provider() {
    return "service";
  }

  @Override
  public String runtimeVersion() {
    return "elsewhere";
  }

  @Override
  public String promptTemplate() {
    return "";
  }

  @Override
  public Optional<ModelShape> facts() {
    return Optional.empty();
  }

  @Override
  public boolean canResize() {
    return false;
  }

  @Override
  public boolean reloads(List<RunConfig> configs) {
    return false;
  }

  @Override
  public ImageSession open(Sample sample) {
    return new Session();
  }
}
