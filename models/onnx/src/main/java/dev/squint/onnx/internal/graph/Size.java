package dev.squint.onnx.internal.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A whole number in a graph: one that is known, or the length of an axis that has a name.
 *
 * @param symbol the name; empty if the number is known
 * @param number the number if it is known
 */
record Size(String symbol, long number) {

  static final long INFERRED = -1;

  static Size of(long number) {
    return new Size("", number);
  }

  static Size named(String symbol) {
    return new Size(symbol, 0);
  }

  boolean isKnown() {
    return symbol.isEmpty();
  }

  boolean is(long value) {
    return isKnown() && number == value;
  }

  /**
   * What is left of the product of some sizes when it is divided by that of others; empty if that
   * is neither a number nor one length.
   */
  static Optional<Size> quotient(List<Size> product, List<Size> divisors) {
    List<String> symbols = new ArrayList<>();
    long above = 1;
    long below = 1;
    try {
      for (Size size : product) {
        if (size.isKnown()) {
          above = Math.multiplyExact(above, size.number);
        } else {
          symbols.add(size.symbol);
        }
      }
      for (Size size : divisors) {
        if (size.isKnown()) {
          below = Math.multiplyExact(below, size.number);
        } else if (!symbols.remove(size.symbol)) {
          return Optional.empty();
        }
      }
    } catch (ArithmeticException e) {
      return Optional.empty();
    }
    if (above <= 0 || below <= 0 || above % below != 0) {
      return Optional.empty();
    }
    if (symbols.isEmpty()) {
      return Optional.of(of(above / below));
    }
    return symbols.size() == 1 && above == below
        ? Optional.of(named(symbols.get(0)))
        : Optional.empty();
  }
}
