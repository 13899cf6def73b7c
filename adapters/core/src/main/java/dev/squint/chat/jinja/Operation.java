package dev.squint.chat.jinja;

import java.util.List;

/** Expressions that join values. */
final class Operation {

  private Operation() {}

  record Or(Expression left, Expression right) implements Expression {
    @Override
    public Object value(Rendering on) {
      Object value = on.value(left);
      return Values.truth(value) ? value : on.value(right);
    }
  }

  record And(Expression left, Expression right) implements Expression {
    @Override
    public Object value(Rendering on) {
      Object value = on.value(left);
      return Values.truth(value) ? on.value(right) : value;
    }
  }

  record Not(Expression of) implements Expression {
    @Override
    public Object value(Rendering on) {
      return !Values.truth(on.value(of));
    }
  }

  /** {@code a if condition else b}, b being null if it is not there. */
  record Choice(Expression condition, Expression yes, Expression no) implements Expression {
    @Override
    public Object value(Rendering on) {
      if (Values.truth(on.value(condition))) {
        return on.value(yes);
      }
      return no == null ? new Undefined("an 'if' without 'else'") : on.value(no);
    }
  }

  /** {@code a < b <= c}. */
  record Comparison(Expression first, List<String> operators, List<Expression> others)
      implements Expression {
    @Override
    public Object value(Rendering on) {
      Object left = on.value(first);
      for (int i = 0; i < operators.size(); i++) {
        Object right = on.value(others.get(i));
        if (!Comparing.holds(on, operators.get(i), left, right)) {
          return false;
        }
        left = right;
      }
      return true;
    }
  }

  record Binary(String operator, Expression left, Expression right) implements Expression {
    @Override
    public Object value(Rendering on) {
      return Arithmetic.apply(on, operator, on.value(left), on.value(right));
    }
  }

  record Signed(boolean isNegative, Expression of) implements Expression {
    @Override
    public Object value(Rendering on) {
      return Arithmetic.signed(isNegative, on.value(of));
    }
  }

  /** {@code a ~ b}. */
  record Joined(List<Expression> parts) implements Expression {
    @Override
    public Object value(Rendering on) {
      StringBuilder joined = new StringBuilder();
      for (Expression part : parts) {
        joined.append(Text.of(on, on.value(part)));
      }
      return on.made(joined.toString());
    }
  }
}
