package dev.squint.family.prompt;

import dev.squint.family.PromptException;
import java.util.Arrays;

/**
 * What a context has room for next to the images of a prompt, in sentences.
 *
 * @param one whether the prompt is one message
 * @param visual visual tokens of each image
 * @param context tokens that the context holds
 */
record Room(boolean one, int[] visual, int context) {

  private int visualTokens() {
    return Arrays.stream(visual).sum();
  }

  /** Tokens that are left for text. */
  int left() {
    return Math.max(0, context - visualTokens());
  }

  /** The images with a preposition before them and a space behind, empty if there are none. */
  String images(String preposition) {
    return switch (visual.length) {
      case 0 -> "";
      case 1 -> "%s the image's %d visual tokens ".formatted(preposition, visualTokens());
      default ->
          "%s the %d visual tokens of %d images "
              .formatted(preposition, visualTokens(), visual.length);
    };
  }

  private String subject() {
    return one ? "question" : "conversation";
  }

  String beyond(long most) {
    return "it has more than %,d characters, and %sthe model's context holds %d tokens"
        .formatted(most, images("next to"), left());
  }

  PromptException exceeded(String how) {
    return new PromptException(
        "the %s is too long: %s; shorten the %s%s"
            .formatted(
                subject(), how, subject(), visual.length > 1 ? " or send fewer images" : ""));
  }

  /** The refusal of texts of which so many characters have shown to be so many tokens. */
  PromptException counted(long characters, long tokens) {
    return new PromptException(
        ("the %s is too long: its first %,d characters are more than %,d tokens, but %sthe model's"
                + " context holds %d; shorten the %s to about %,d characters")
            .formatted(
                subject(),
                characters,
                tokens,
                images("next to"),
                left(),
                subject(),
                characters * left() / tokens));
  }
}
