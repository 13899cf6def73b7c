package dev.squint.chat.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Compiles expressions by jinja2's grammar. */
final class ExpressionParser {

  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final int DEEPEST = 60;

  private final TokenStream tokens;
  private final PrimaryParser primaries;
  private int depth;

  ExpressionParser(TokenStream tokens) {
    this.tokens = tokens;
    this.primaries = new PrimaryParser(tokens, this);
  }

  /** {@code a, b}: one expression, or a tuple of several; nothing where that may be. */
  Expression list(boolean mayChoose, boolean mayBeEmpty) {
    List<Expression> items = new ArrayList<>();
    boolean isTuple = false;
    while (!endsList()) {
      items.add(mayChoose ? expression() : or());
      if (!tokens.skip(",")) {
        break;
      }
      isTuple = true;
    }
    if (!isTuple && !items.isEmpty()) {
      return items.get(0);
    }
    if (items.isEmpty() && !mayBeEmpty) {
      throw tokens.unexpected();
    }
    return new Operand.ListOf(List.copyOf(items), true);
  }

  private boolean endsList() {
    return tokens.atEnd() || tokens.is(")") || tokens.isName("in") || tokens.isName("recursive");
  }

  Expression expression() {
    if (++depth > DEEPEST) {
      throw tokens.fault("an expression is nested more than %d deep", DEEPEST);
    }
    Expression value = or();
    while (tokens.skipName("if")) {
      Expression condition = or();
      Expression no = tokens.skipName("else") ? expression() : null;
      value = new Operation.Choice(condition, value, no);
    }
    depth--;
    return value;
  }

  private Expression or() {
    Expression left = and();
    while (tokens.skipName("or")) {
      left = new Operation.Or(left, and());
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (tokens.skipName("and")) {
      left = new Operation.And(left, not());
    }
    return left;
  }

  private Expression not() {
    int times = 0;
    while (tokens.skipName("not")) {
      times++;
    }
    Expression value = comparison();
    for (int i = times == 0 ? 0 : 2 - times % 2; i > 0; i--) {
      value = new Operation.Not(value);
    }
    return value;
  }

  private Expression comparison() {
    Expression first = sum();
    List<String> operators = new ArrayList<>();
    List<Expression> others = new ArrayList<>();
    while (true) {
      if (tokens.isAny(COMPARISONS)) {
        operators.add(tokens.next().text());
      } else if (tokens.skipName("in")) {
        operators.add("in");
      } else if (tokens.isName("not") && tokens.peek().isName("in")) {
        tokens.next();
        tokens.next();
        operators.add("not in");
      } else {
        break;
      }
      others.add(sum());
    }
    return operators.isEmpty()
        ? first
        : new Operation.Comparison(first, List.copyOf(operators), List.copyOf(others));
  }

  private Expression sum() {
    Expression left = joined();
    while (tokens.is("+") || tokens.is("-")) {
      left = new Operation.Binary(tokens.next().text(), left, joined());
    }
    return left;
  }

  private Expression joined() {
    List<Expression> parts = new ArrayList<>();
    parts.add(product());
    while (tokens.skip("~")) {
      parts.add(product());
    }
    return parts.size() == 1 ? parts.get(0) : new Operation.Joined(List.copyOf(parts));
  }

  private Expression product() {
    Expression left = power();
    while (tokens.isAny(Set.of("*", "/", "//", "%"))) {
      left = new Operation.Binary(tokens.next().text(), left, power());
    }
    return left;
  }

  private Expression power() {
    Expression left = signed(true);
    while (tokens.skip("**")) {
      left = new Operation.Binary("**", left, signed(true));
    }
    return left;
  }

  private Expression signed(boolean withFilter) {
    if (++depth > DEEPEST) {
      throw tokens.fault("an expression is nested more than %d deep", DEEPEST);
    }
    Expression value;
    if (tokens.skip("-")) {
      value = new Operation.Signed(true, signed(false));
    } else if (tokens.skip("+")) {
      value = new Operation.Signed(false, signed(false));
    } else {
      value = primaries.next();
    }
    value = postfix(value);
    depth--;
    return withFilter ? filtered(value) : value;
  }

  Expression postfix(Expression of) {
    Expression value = of;
    while (true) {
      if (tokens.skip(".")) {
        Token name = tokens.next();
        value =
            switch (name.kind()) {
              case NAME -> new Operand.Attribute(value, name.text());
              case INTEGER -> new Operand.Item(value, new Operand.Literal(name.value()));
              default -> throw tokens.unexpected(name);
            };
      } else if (tokens.skip("[")) {
        value = item(value);
      } else if (tokens.is("(")) {
        value = new Operand.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expression item(Expression of) {
    Expression from = tokens.is(":") ? null : expression();
    if (!tokens.skip(":")) {
      if (tokens.is(",")) {
        throw tokens.fault("an item is taken by several keys");
      }
      tokens.expect("]");
      return new Operand.Item(of, from);
    }
    Expression to = tokens.is("]") || tokens.is(":") ? null : expression();
    Expression step = tokens.skip(":") && !tokens.is("]") ? expression() : null;
    tokens.expect("]");
    return new Operand.Slice(of, from, to, step);
  }

  private Expression filtered(Expression of) {
    Expression value = of;
    while (true) {
      if (tokens.skip("|")) {
        value = filter(value);
      } else if (tokens.skipName("is")) {
        value = test(value);
      } else if (tokens.is("(")) {
        value = new Operand.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  /** The filter after a {@code |}. */
  Expression filter(Expression of) {
    String name = tokens.dottedName();
    Filter filter = tokens.within(() -> Filters.get(name));
    return new Operand.Filtered(
        of, name, filter, tokens.is("(") ? arguments() : Operand.ArgumentList.NONE);
  }

  private Expression test(Expression of) {
    boolean negated = tokens.skipName("not");
    String name = tokens.dottedName();
    Operand.ArgumentList arguments = Operand.ArgumentList.NONE;
    if (tokens.is("(")) {
      arguments = arguments();
    } else if (takesArgument()) {
      Expression argument = postfix(primaries.next());
      arguments = new Operand.ArgumentList(List.of(argument), Map.of(), null, null);
    }
    Test test = tokens.within(() -> Tests.get(name));
    Expression tested = new Operand.Tested(of, name, test, arguments);
    return negated ? new Operation.Not(tested) : tested;
  }

  private boolean takesArgument() {
    Token token = tokens.current();
    if (token.isName("is")) {
      throw tokens.fault("tests are chained by 'is'");
    }
    return switch (token.kind()) {
      case NAME -> !token.isName("else") && !token.isName("or") && !token.isName("and");
      case STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> token.is("[") || token.is("{");
      default -> false;
    };
  }

  private Operand.ArgumentList arguments() {
    tokens.expect("(");
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    Expression spread = null;
    Expression spreadNamed = null;
    while (!tokens.is(")")) {
      if (tokens.skip("**")) {
        spreadNamed = expression();
      } else if (spreadNamed != null) {
        throw tokens.unexpected();
      } else if (tokens.skip("*")) {
        spread = expression();
      } else if (tokens.current().kind() == Token.Kind.NAME && tokens.peek().is("=")) {
        String name = tokens.next().text();
        tokens.next();
        if (named.put(name, expression()) != null) {
          throw tokens.fault("the argument '%s' is given twice", name);
        }
      } else if (named.isEmpty() && spread == null) {
        positional.add(expression());
      } else {
        throw tokens.unexpected();
      }
      if (!tokens.skip(",")) {
        break;
      }
    }
    tokens.expect(")");
    return new Operand.ArgumentList(List.copyOf(positional), named, spread, spreadNamed);
  }
}
