package dev.squint.chat;

import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;

/**
 * A message as a template gets it.
 *
 * @param role who says it
 * @param parts texts and images, in the order in which they are said
 */
public record Turn(Role role, List<Part> parts) {

  /** Checks that there is something. */
  public Turn {
    Objects.requireNonNull(role, "role");
    parts = List.copyOf(parts);
  }

  /** A piece of a message. */
  public sealed interface Part permits Text, Image {}

  /**
   * A text.
   *
   * @param text its letters
   */
  public record Text(String text) implements Part {

    /** Checks that it is there. */
    public Text {
      Objects.requireNonNull(text, "text");
    }
  }

  /** An image. Which one is told by its place among all images of the chat. */
  public record Image() implements Part {}

  /** One question about one image. */
  public static Turn question(String question) {
    return new Turn(Role.USER, List.of(new Image(), new Text(question)));
  }

  /** Its texts. */
  public List<String> texts() {
    return parts.stream().filter(Text.class::isInstance).map(part -> ((Text) part).text()).toList();
  }

  /** How many images it has. */
  public int images() {
    return (int) parts.stream().filter(Image.class::isInstance).count();
  }

  /** The same with other texts. */
  public Turn withTexts(UnaryOperator<String> change) {
    List<Part> changed =
        parts.stream()
            .<Part>map(
                part -> part instanceof Text text ? new Text(change.apply(text.text())) : part)
            .toList();
    return new Turn(role, changed);
  }
}
