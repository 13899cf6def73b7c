package dev.squint.pruning.observe;

import java.util.Locale;

/** Which tokens of a place are looked at, in the order of the prompt or of the image. */
public enum Rows {
  /** All of them; in the vision tower the [CLS] token too. */
  ALL,
  /** Live visual tokens; in the vision tower the patches, without [CLS]. */
  VISUAL,
  /** The [CLS] token of the vision tower: one row. */
  CLS,
  /** The last token of the prompt: one row. */
  LAST,
  /** Text tokens after the last visual token. */
  TEXT_AFTER_VISUAL,
  /** All text tokens. */
  TEXT,
  /** The first text token after the last visual token: one row, none where no text follows. */
  FIRST_AFTER_VISUAL;

  /** How it is written in the text of an expression. */
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
