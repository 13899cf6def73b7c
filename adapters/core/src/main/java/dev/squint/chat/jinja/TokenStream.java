package dev.squint.chat.jinja;

import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/** The words within one pair of braces, in turn. */
final class TokenStream {

  private final List<Token> tokens;
  private int at;

  TokenStream(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token current() {
    return tokens.get(at);
  }

  Token peek() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
  }

  Token next() {
    Token token = current();
    if (token.kind() != Token.Kind.END) {
      at++;
    }
    return token;
  }

  boolean atEnd() {
    return current().kind() == Token.Kind.END;
  }

  boolean is(String operator) {
    return current().is(operator);
  }

  boolean isName(String name) {
    return current().isName(name);
  }

  boolean isAny(Set<String> operators) {
    return current().kind() == Token.Kind.OPERATOR && operators.contains(current().text());
  }

  boolean skip(String operator) {
    return is(operator) && next() != null;
  }

  boolean skipName(String name) {
    return isName(name) && next() != null;
  }

  void expect(String operator) {
    if (!skip(operator)) {
      throw fault("%s stands where '%s' is needed", current().shown(), operator);
    }
  }

  void expectEnd() {
    if (!atEnd()) {
      throw unexpected();
    }
  }

  String name() {
    Token token = next();
    if (token.kind() != Token.Kind.NAME) {
      throw fault("%s stands where a name is needed", token.shown());
    }
    return token.text();
  }

  String dottedName() {
    StringBuilder name = new StringBuilder(name());
    while (skip(".")) {
      name.append('.').append(name());
    }
    return name.toString();
  }

  Fault unexpected() {
    return unexpected(current());
  }

  Fault unexpected(Token token) {
    return Fault.at(token.line(), "%s is not understood there", token.shown());
  }

  Fault fault(String message, Object... arguments) {
    return Fault.at(current().line(), message, arguments);
  }

  /** Something whose faults are of this line. */
  <T> T within(Supplier<T> something) {
    try {
      return something.get();
    } catch (Fault e) {
      throw fault("%s", e.getMessage());
    }
  }
}
