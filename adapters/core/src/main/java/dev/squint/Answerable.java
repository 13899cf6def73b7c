package dev.squint;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Whether a model can be asked.
 *
 * @param refusal why not, one sentence; empty if it can
 * @param visualTokens visual tokens that an image becomes, if it can
 * @param opened whether ONNX Runtime opened the graphs to see; large ones are read only
 * @param notes what its files lack that the whole model has, a sentence each
 */
public record Answerable(
    Optional<String> refusal, OptionalInt visualTokens, boolean opened, List<String> notes) {

  /** Copies the list. */
  public Answerable {
    notes = List.copyOf(notes);
  }
}
