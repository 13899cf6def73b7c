package dev.squint.engine.request;

/**
 * The images of a prompt, encoded when a request first needs them and kept for the requests that
 * follow: once for each set of observations that a strategy asks of the vision tower. Made by
 * {@code VisionLanguageModel.prepare}, for that model. Thread-safe.
 */
public interface PreparedImages extends AutoCloseable {

  /** Frees the features after the requests under way; a second call does nothing. */
  @Override
  void close();
}
