package dev.squint.family;

import dev.squint.engine.request.PixelValues;
import java.util.List;

/**
 * An image ready for a prompt.
 *
 * @param pixels what the vision encoder takes of it
 * @param text what stands in the prompt's text where the template puts the image: the placeholder
 *     once for each visual token, and what the family writes around and between
 * @param parts its visual tokens, in order
 */
public record PromptImage(PixelValues pixels, String text, List<ImagePart> parts) {

  /** Copies the list. */
  public PromptImage {
    parts = List.copyOf(parts);
  }

  /** How many visual tokens it has. */
  public int tokens() {
    return parts.stream().mapToInt(ImagePart::tokens).sum();
  }
}
