package dev.squint.evaluation.internal;

import dev.squint.evaluation.data.Sample;
import dev.squint.pruning.shape.ModelShape;
import java.util.List;
import java.util.Optional;

/** Puts questions to a model or a service. Thread-safe. */
public interface ModelRunner {

  /** What to call it. */
  String name();

  /** Tells it apart from others whose answers may differ. */
  String hash();

  /** Where it runs, in a word. */
  String provider();

  /** Version of the runtime in this process, or that it runs elsewhere. */
  String runtimeVersion();

  /** How a question is put; empty if that is not known. */
  String promptTemplate();

  /** Shapes of the model, if they are known. */
  Optional<ModelShape> facts();

  /** Whether it takes smaller images. */
  boolean canResize();

  /** Whether the decoder's splits for all configurations cannot stay loaded together. */
  boolean reloads(List<RunConfig> configs);

  /**
   * Opens what a question is about.
   *
   * @param sample the question, or one of those about the same image
   * @throws AnswerException if it cannot be used
   */
  ImageSession open(Sample sample);

  /** A request as a user makes it: the image is read and encoded for it alone. */
  default ModelOutput askAlone(RunConfig config, Sample sample, int question) {
    try (ImageSession session = open(sample)) {
      return session.ask(config, sample, question);
    }
  }
}
