package dev.squint.chat.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Expressions that name, make or take apart a value. */
final class Operand {

  private Operand() {}

  record Literal(Object constant) implements Expression {
    @Override
    public Object value(Rendering on) {
      return constant;
    }
  }

  record Name(String name) implements Expression {
    @Override
    public Object value(Rendering on) {
      return on.named(name);
    }
  }

  record ListOf(List<Expression> items, boolean isTuple) implements Expression {
    @Override
    public Object value(Rendering on) {
      List<Object> values = new ArrayList<>(items.size());
      for (Expression item : items) {
        values.add(on.value(item));
      }
      return isTuple ? new Tuple(values) : values;
    }
  }

  record DictOf(List<Expression> keys, List<Expression> values) implements Expression {
    @Override
    public Object value(Rendering on) {
      Map<Object, Object> map = new LinkedHashMap<>();
      for (int i = 0; i < keys.size(); i++) {
        map.put(Values.key(on.value(keys.get(i))), on.value(values.get(i)));
      }
      return map;
    }
  }

  /** {@code a.name}. */
  record Attribute(Expression of, String name) implements Expression {
    @Override
    public Object value(Rendering on) {
      return Members.attribute(on.value(of), name, described(of));
    }
  }

  /** {@code a[key]}. */
  record Item(Expression of, Expression key) implements Expression {
    @Override
    public Object value(Rendering on) {
      return Members.item(on, on.value(of), on.value(key), described(of));
    }
  }

  /** {@code a[from:to:step]}, a part that is not there being null. */
  record Slice(Expression of, Expression from, Expression to, Expression step)
      implements Expression {
    @Override
    public Object value(Rendering on) {
      Object whole = on.value(of);
      return Slices.slice(on, whole, bound(on, from), bound(on, to), bound(on, step));
    }

    private static Long bound(Rendering on, Expression bound) {
      Object value = bound == null ? null : on.value(bound);
      return value == null ? null : Values.index(value);
    }
  }

  /** {@code a(...)}. */
  record Call(Expression of, ArgumentList arguments) implements Expression {
    @Override
    public Object value(Rendering on) {
      return call(on, arguments.values(on));
    }

    Object call(Rendering on, Arguments values) {
      Object callee = on.value(of);
      if (callee instanceof Callable callable) {
        return callable.call(on, values);
      }
      throw callee instanceof Undefined
          ? Fault.of("%s is not defined and is called", described(of))
          : Fault.of("a %s is called", Values.type(callee));
    }
  }

  /** {@code a | name(...)}. */
  record Filtered(Expression of, String name, Filter filter, ArgumentList arguments)
      implements Expression {
    @Override
    public Object value(Rendering on) {
      return filter.apply(on, on.value(of), arguments.values(on).of("filter '" + name + "'"));
    }
  }

  /** {@code a is name(...)}. */
  record Tested(Expression of, String name, Test test, ArgumentList arguments)
      implements Expression {
    @Override
    public Object value(Rendering on) {
      return test.holds(on, on.value(of), arguments.values(on).of("test '" + name + "'"));
    }
  }

  /**
   * What stands in the parentheses of a call.
   *
   * @param spread a list of more arguments, or null
   * @param spreadNamed a mapping of more named arguments, or null
   */
  record ArgumentList(
      List<Expression> positional,
      Map<String, Expression> named,
      Expression spread,
      Expression spreadNamed) {

    static final ArgumentList NONE = new ArgumentList(List.of(), Map.of(), null, null);

    Arguments values(Rendering on) {
      List<Object> values = new ArrayList<>(positional.size());
      for (Expression argument : positional) {
        values.add(on.value(argument));
      }
      if (spread != null) {
        Values.iterate(on, on.value(spread)).forEachRemaining(values::add);
      }
      Map<String, Object> byName = new LinkedHashMap<>();
      named.forEach((name, argument) -> byName.put(name, on.value(argument)));
      if (spreadNamed != null) {
        if (!(on.value(spreadNamed) instanceof Map<?, ?> map)) {
          throw Fault.of("'**' stands before what is no mapping");
        }
        map.forEach((name, value) -> byName.put(String.valueOf(name), value));
      }
      return new Arguments("call", values, byName);
    }
  }

  private static String described(Expression of) {
    if (of instanceof Name name) {
      return "'" + name.name() + "'";
    }
    if (of instanceof Attribute attribute) {
      return "'" + attribute.name() + "'";
    }
    return of instanceof Item item && item.key() instanceof Literal key
        ? "'" + key.constant() + "'"
        : "a value";
  }
}
