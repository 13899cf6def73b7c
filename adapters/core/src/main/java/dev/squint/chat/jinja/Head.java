package dev.squint.chat.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What stands between the braces of a block, compiled. */
sealed interface Head {

  /** Of a block that has nothing next to its name. */
  record Plain() implements Head {}

  /** {@code {% if condition %}}, {@code {% elif condition %}}. */
  record If(Expression condition) implements Head {}

  /** {@code {% for target in items if condition %}}, the condition being null for none. */
  record For(Target target, Expression items, Expression condition) implements Head {}

  /** {@code {% set target = value %}}. */
  record Set(Target target, Expression value) implements Head {}

  /** {@code {% set target | filter %}}, its value being what its body prints, filtered. */
  record SetBody(Target target, Expression filtered) implements Head {}

  /** {@code {% macro name(parameters) %}}. */
  record MacroOf(String name, Map<String, Expression> parameters) implements Head {}

  /** {@code {% call(parameters) callee(...) %}}. */
  record CallOf(Map<String, Expression> parameters, Operand.Call call) implements Head {}

  /** {@code {% filter name %}}. */
  record Filtered(Expression filtered) implements Head {}

  /** {@code {% with a = b %}}. */
  record With(List<Target> targets, List<Expression> values) implements Head {}

  /** Where a body's text is put for the filters that follow it. */
  String BODY = " body";

  /** Compiles one. */
  static Head of(Piece.Block block) {
    TokenStream tokens = new TokenStream(block.tokens());
    Head head = head(block, tokens, new ExpressionParser(tokens));
    tokens.expectEnd();
    return head;
  }

  private static Head head(Piece.Block block, TokenStream tokens, ExpressionParser parser) {
    return switch (block.name()) {
      case "if", "elif" -> new If(parser.list(false, false));
      case "for" -> {
        Target target = Target.of(tokens, false);
        if (!tokens.skipName("in")) {
          throw tokens.fault("a 'for' has no 'in'");
        }
        Expression items = parser.list(false, false);
        Expression condition = tokens.skipName("if") ? parser.expression() : null;
        if (tokens.isName("recursive")) {
          throw tokens.fault("a 'for' is recursive, which is not supported");
        }
        yield new For(target, items, condition);
      }
      case "set" -> {
        Target target = Target.of(tokens, true);
        if (tokens.skip("=")) {
          yield new Set(target, parser.list(true, false));
        }
        yield new SetBody(target, filters(tokens, parser));
      }
      case "macro" -> new MacroOf(tokens.name(), parameters(tokens, parser));
      case "call" -> {
        Map<String, Expression> parameters = tokens.is("(") ? parameters(tokens, parser) : Map.of();
        if (!(parser.expression() instanceof Operand.Call call)) {
          throw tokens.fault("a block 'call' calls nothing");
        }
        yield new CallOf(parameters, call);
      }
      case "filter" -> new Filtered(filters(tokens, parser, parser.filter(new Operand.Name(BODY))));
      case "with" -> {
        List<Target> targets = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.atEnd()) {
          if (!targets.isEmpty()) {
            tokens.expect(",");
          }
          targets.add(Target.of(tokens, false));
          tokens.expect("=");
          values.add(parser.expression());
        }
        yield new With(List.copyOf(targets), List.copyOf(values));
      }
      default -> new Plain();
    };
  }

  private static Expression filters(TokenStream tokens, ExpressionParser parser) {
    return filters(tokens, parser, new Operand.Name(BODY));
  }

  private static Expression filters(TokenStream tokens, ExpressionParser parser, Expression first) {
    Expression filtered = first;
    while (tokens.skip("|")) {
      filtered = parser.filter(filtered);
    }
    return filtered;
  }

  /** Names, each with what it is without an argument, or null. */
  private static Map<String, Expression> parameters(TokenStream tokens, ExpressionParser parser) {
    tokens.expect("(");
    Map<String, Expression> parameters = new LinkedHashMap<>();
    boolean hasDefaults = false;
    while (!tokens.is(")")) {
      if (!parameters.isEmpty()) {
        tokens.expect(",");
      }
      String name = tokens.name();
      Expression value = tokens.skip("=") ? parser.expression() : null;
      if (value == null && hasDefaults) {
        throw tokens.fault("a parameter without a default follows one with a default");
      }
      hasDefaults = value != null;
      if (parameters.containsKey(name)) {
        throw tokens.fault("the parameter '%s' is named twice", name);
      }
      parameters.put(name, value);
    }
    tokens.expect(")");
    return parameters;
  }
}
