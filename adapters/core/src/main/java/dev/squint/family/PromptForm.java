package dev.squint.family;

import java.util.Objects;
import java.util.Optional;

/**
 * How messages become the text of a prompt.
 *
 * @param template a chat template in the place of the model's own; empty for that one
 * @param raw whether the only message is the text of the prompt already, placeholders of images and
 *     special tokens in it
 */
public record PromptForm(Optional<String> template, boolean raw) {

  /** By the model's own chat template. */
  public static final PromptForm OWN = new PromptForm(Optional.empty(), false);

  /** Checks that it is there. */
  public PromptForm {
    Objects.requireNonNull(template, "template");
  }
}
