package dev.squint.chat.jinja;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.tree.Node;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** One rendering of a template: its names, what it may still cost, and whether a loop is left. */
final class Rendering extends JinjavaInterpreter {

  /** How the rest of a body is passed over. */
  enum Leaving {
    NOT,
    ITEM,
    LOOP
  }

  private final Program program;
  private final Budget budget;
  private final LocalDateTime now;
  private Scope scope = new Scope(null);
  private Leaving leaving = Leaving.NOT;

  Rendering(
      Jinjava jinjava, Program program, LocalDateTime now, Map<String, ?> variables, long given) {
    super(jinjava, jinjava.getGlobalContext(), jinjava.getGlobalConfig());
    this.program = program;
    this.now = now;
    this.budget = new Budget(given);
    variables.forEach((name, value) -> scope.set(name, Values.of(value)));
  }

  static Rendering of(JinjavaInterpreter interpreter) {
    return (Rendering) interpreter;
  }

  Budget budget() {
    return budget;
  }

  Scope scope() {
    return scope;
  }

  LocalDateTime now() {
    return now;
  }

  Program program() {
    return program;
  }

  Object value(Expression expression) {
    budget.steps(1);
    return expression.value(this);
  }

  Object named(String name) {
    Scope holder = scope.holderOf(name);
    return holder == null ? Globals.get(name) : holder.get(name);
  }

  /** A text that was made, once it is paid for. */
  String made(String text) {
    budget.characters(text.length());
    return text;
  }

  /** Something in a scope of its own within another. */
  <T> T within(Scope outer, Supplier<T> something) {
    Scope before = scope;
    scope = new Scope(outer);
    try {
      return something.get();
    } finally {
      scope = before;
    }
  }

  <T> T within(Supplier<T> something) {
    return within(scope, something);
  }

  /** What a body prints, up to where a loop is left. */
  String body(List<Node> nodes) {
    StringBuilder out = new StringBuilder();
    for (Node node : nodes) {
      budget.steps(1);
      String text = node.render(this).getValue();
      budget.characters(text.length());
      out.append(text);
      if (leaving != Leaving.NOT) {
        break;
      }
    }
    return out.toString();
  }

  void leave(Leaving what) {
    leaving = what;
  }

  /** How the body of a loop was left, once. */
  Leaving left() {
    Leaving left = leaving;
    leaving = Leaving.NOT;
    return left;
  }
}
