package dev.squint;

import dev.squint.chat.Role;
import dev.squint.family.PromptException;
import dev.squint.image.ImageInput;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A message of a chat.
 *
 * @param role who says it
 * @param parts texts and images in the order in which they are said
 */
public record ChatMessage(Role role, List<Part> parts) {

  /**
   * Checks that there is something.
   *
   * @throws PromptException if there is no part
   */
  public ChatMessage {
    Objects.requireNonNull(role, "role");
    parts = List.copyOf(parts);
    if (parts.isEmpty()) {
      throw new PromptException(
          "the %s has neither a text nor an image; give it one".formatted(role.said()));
    }
  }

  /** A piece of a message. */
  public sealed interface Part permits Text, Image, Prepared {}

  /**
   * A text. What it says is data: special tokens of the model in it are plain letters.
   *
   * @param text its letters
   */
  public record Text(String text) implements Part {

    /** Checks that it is there. */
    public Text {
      Objects.requireNonNull(text, "text");
    }
  }

  /**
   * An image, decoded and encoded for the request.
   *
   * @param image the image
   */
  public record Image(ImageInput image) implements Part {

    /** Checks that it is there. */
    public Image {
      Objects.requireNonNull(image, "image");
    }
  }

  /**
   * An image that several requests share. Whoever prepared it closes it.
   *
   * @param image made by {@link Squint#prepare(ImageInput)} of the model that is asked
   */
  public record Prepared(PreparedImage image) implements Part {

    /** Checks that it is there. */
    public Prepared {
      Objects.requireNonNull(image, "image");
    }
  }

  /** How to answer, said by who runs the service. */
  public static ChatMessage system(String text) {
    return new ChatMessage(Role.SYSTEM, List.of(new Text(text)));
  }

  /** A question. */
  public static ChatMessage user(String text) {
    return new ChatMessage(Role.USER, List.of(new Text(text)));
  }

  /** A question about an image. */
  public static ChatMessage user(ImageInput image, String text) {
    return new ChatMessage(Role.USER, List.of(new Image(image), new Text(text)));
  }

  /** A question about an image that others share. */
  public static ChatMessage user(PreparedImage image, String text) {
    return new ChatMessage(Role.USER, List.of(new Prepared(image), new Text(text)));
  }

  /** A question about several images, which come before its text. */
  public static ChatMessage user(List<ImageInput> images, String text) {
    List<Part> parts = new ArrayList<>();
    images.forEach(image -> parts.add(new Image(image)));
    parts.add(new Text(text));
    return new ChatMessage(Role.USER, parts);
  }

  /** An earlier answer of the model. */
  public static ChatMessage assistant(String text) {
    return new ChatMessage(Role.ASSISTANT, List.of(new Text(text)));
  }
}
