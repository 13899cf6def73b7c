package dev.squint.chat.jinja;

import java.util.ArrayList;
import java.util.List;

/** Compiles what expressions are made of. */
final class PrimaryParser {

  private final TokenStream tokens;
  private final ExpressionParser expressions;

  PrimaryParser(TokenStream tokens, ExpressionParser expressions) {
    this.tokens = tokens;
    this.expressions = expressions;
  }

  /** The next name, number, text or bracket. */
  Expression next() {
    Token token = tokens.next();
    return switch (token.kind()) {
      case NAME ->
          switch (token.text()) {
            case "true", "True" -> new Operand.Literal(true);
            case "false", "False" -> new Operand.Literal(false);
            case "none", "None" -> new Operand.Literal(null);
            default -> new Operand.Name(token.text());
          };
      case STRING -> {
        StringBuilder text = new StringBuilder(token.text());
        while (tokens.current().kind() == Token.Kind.STRING) {
          text.append(tokens.next().text());
        }
        yield new Operand.Literal(text.toString());
      }
      case INTEGER, FLOAT -> new Operand.Literal(token.value());
      case OPERATOR -> bracketed(token);
      default -> throw tokens.unexpected(token);
    };
  }

  private Expression bracketed(Token token) {
    switch (token.text()) {
      case "(" -> {
        Expression value = expressions.list(true, true);
        tokens.expect(")");
        return value;
      }
      case "[" -> {
        List<Expression> items = new ArrayList<>();
        while (!tokens.is("]")) {
          items.add(expressions.expression());
          if (!tokens.skip(",")) {
            break;
          }
        }
        tokens.expect("]");
        return new Operand.ListOf(List.copyOf(items), false);
      }
      case "{" -> {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.is("}")) {
          keys.add(expressions.expression());
          tokens.expect(":");
          values.add(expressions.expression());
          if (!tokens.skip(",")) {
            break;
          }
        }
        tokens.expect("}");
        return new Operand.DictOf(List.copyOf(keys), List.copyOf(values));
      }
      default -> throw tokens.unexpected(token);
    }
  }
}
