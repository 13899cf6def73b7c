package dev.squint.chat.jinja;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Writes a template as jinjava gets it: white space control and comments applied as jinja2 does,
 * and each expression compiled and replaced by its number.
 */
final class SkeletonWriter {

  /** What may stand between braces here. */
  private static final Set<String> TAGS =
      Set.of(
          "if",
          "elif",
          "else",
          "endif",
          "for",
          "endfor",
          "break",
          "continue",
          "set",
          "endset",
          "macro",
          "endmacro",
          "call",
          "endcall",
          "filter",
          "endfilter",
          "with",
          "endwith",
          "generation",
          "endgeneration");

  private static final Set<String> OPENING =
      Set.of("if", "for", "macro", "call", "filter", "with", "generation");
  private static final int DEEPEST = 40;
  private static final int MOST_PIECES = 20_000;

  private final StringBuilder skeleton = new StringBuilder();
  private final List<Expression> prints = new ArrayList<>();
  private final List<Head> heads = new ArrayList<>();
  private final Set<String> names = new HashSet<>();

  SkeletonWriter(String source) {
    if (Symbols.areIn(source)) {
      throw Fault.of("it has characters of Unicode's private area");
    }
    List<Piece> pieces = Lexer.pieces(source);
    if (pieces.size() > MOST_PIECES) {
      throw Fault.of("it has more than %,d parts", MOST_PIECES);
    }
    int depth = 0;
    for (Piece piece : pieces) {
      if (piece instanceof Piece.Text text) {
        skeleton.append(text.text());
      } else if (piece instanceof Piece.Print print) {
        print(print);
      } else if (piece instanceof Piece.Block block) {
        depth += block(block);
        if (depth > DEEPEST) {
          throw Fault.at(block.line(), "blocks are nested more than %d deep", DEEPEST);
        }
      }
    }
  }

  /** The template in jinjava's hands. */
  String skeleton() {
    return skeleton.toString();
  }

  List<Expression> prints() {
    return List.copyOf(prints);
  }

  List<Head> heads() {
    return List.copyOf(heads);
  }

  Set<String> names() {
    return Set.copyOf(names);
  }

  private void print(Piece.Print print) {
    remember(print.tokens());
    TokenStream tokens = new TokenStream(print.tokens());
    Expression expression = new ExpressionParser(tokens).list(true, false);
    tokens.expectEnd();
    skeleton.append(Symbols.OPEN).append(Symbols.PRINT).append(' ').append(prints.size());
    skeleton.append(' ').append(Symbols.PRINT_END).append(Symbols.CLOSE);
    prints.add(expression);
  }

  /** By how much it nests what follows deeper. */
  private int block(Piece.Block block) {
    if (!TAGS.contains(block.name())) {
      throw Fault.at(block.line(), "the block '%s' is not supported", block.name());
    }
    remember(block.tokens());
    Head head = Head.of(block);
    boolean opens = OPENING.contains(block.name()) || head instanceof Head.SetBody;
    skeleton.append(Symbols.OPEN).append(Symbols.TAG).append(' ').append(block.name()).append(' ');
    skeleton.append(heads.size()).append(' ').append(Symbols.TAG).append(Symbols.CLOSE);
    heads.add(head);
    return opens ? 1 : block.name().startsWith("end") ? -1 : 0;
  }

  private void remember(List<Token> tokens) {
    for (Token token : tokens) {
      if (token.kind() == Token.Kind.NAME) {
        names.add(token.text());
      }
    }
  }
}
