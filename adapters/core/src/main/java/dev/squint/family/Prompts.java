package dev.squint.family;

import dev.squint.chat.Turn;
import dev.squint.engine.request.ModelInput;
import dev.squint.tokenizer.IncrementalText;
import java.util.List;

/** How messages are put to a model, and its answers are read. */
public interface Prompts extends AutoCloseable {

  /** How a question about an image is put, {@code {question}} standing for it. */
  String template();

  /**
   * The prompt for a chat.
   *
   * @param turns its messages, the user's last
   * @param images what its images became, in the order in which the messages have them
   * @param form how they become a text
   * @throws PromptException if a text is blank or all are longer than the context
   * @throws dev.squint.error.ModelException if the chat template cannot put messages of these roles
   */
  ModelInput prompt(List<Turn> turns, List<PromptImage> images, PromptForm form);

  /** The prompt for a chat by the model's own template. */
  default ModelInput prompt(List<Turn> turns, List<PromptImage> images) {
    return prompt(turns, images, PromptForm.OWN);
  }

  /** Turns the tokens of an answer into words as they come. */
  IncrementalText answer();

  /** An answer in words, without special tokens. */
  String text(long[] tokens);

  @Override
  void close();
}
