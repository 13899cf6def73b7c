package dev.squint.chat.jinja;

import java.util.List;

/** A part of a template. */
sealed interface Piece {

  /** Letters that are printed as they are, white space control applied. */
  record Text(String text) implements Piece {}

  /** {@code {{ ... }}}. */
  record Print(List<Token> tokens) implements Piece {}

  /** {@code {% name ... %}}, the name apart. */
  record Block(String name, List<Token> tokens, int line) implements Piece {}
}
