package dev.squint.pruning.observe;

import dev.squint.error.StrategyException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Reads what {@link Expression#canonical} writes. */
final class ExpressionParser {

  private static final int DEEPEST = 100;
  private static final Pattern WORD = Pattern.compile("\\s*([A-Za-z0-9.+-]+)\\s*");
  private static final Pattern NUMBER = Pattern.compile("-?\\d+(\\.\\d+)?([eE]-?\\d+)?|NaN");
  private static final Pattern LEAF = Pattern.compile("([a-z-]+)(?:\\.(\\d{1,6}))?\\.([a-z]+)");

  private final String text;
  private int at;
  private int depth;

  ExpressionParser(String text) {
    this.text = text;
  }

  Expression read() {
    Expression whole = expression();
    if (at < text.length()) {
      throw wrong("the expression ends before");
    }
    return whole;
  }

  private Expression expression() {
    if (++depth > DEEPEST) {
      throw wrong("no more than %d operators may be nested, which is passed".formatted(DEEPEST));
    }
    int start = at;
    String word = word();
    Expression made;
    if (take('(')) {
      made = operator(word, start);
      expect(')');
    } else if (take('[')) {
      made = leaf(word, start);
    } else if (NUMBER.matcher(word).matches()) {
      made = new Constant(Float.parseFloat(word));
    } else {
      at = start;
      throw wrong("a number, a tensor such as decoder.3.k[visual] or an operator is needed");
    }
    depth--;
    return made;
  }

  private Expression leaf(String word, int start) {
    String rows = word();
    expect(']');
    Matcher parts = LEAF.matcher(word);
    Optional<Place.Kind> kind =
        parts.matches() ? find(Place.Kind.values(), Place.Kind::word, parts.group(1)) : none();
    if (kind.isEmpty() || kind.get().hasLayers() != (parts.group(2) != null)) {
      at = start;
      throw wrong("a tensor such as decoder.3.k[visual] is needed");
    }
    int layer = parts.group(2) == null ? 0 : Integer.parseInt(parts.group(2));
    return new Leaf(
        new Place(kind.get(), layer),
        known(Leaf.Tensor.values(), Leaf.Tensor::word, parts.group(3), "tensor"),
        known(Rows.values(), Rows::word, rows, "kind of rows"));
  }

  private Expression operator(String word, int start) {
    Expression first = expression();
    Optional<Unary.Function> unary = find(Unary.Function.values(), Unary.Function::word, word);
    if (unary.isPresent()) {
      return first.map(unary.get());
    }
    Optional<Binary.Function> binary = find(Binary.Function.values(), Binary.Function::word, word);
    if (binary.isPresent()) {
      expect(',');
      return new Binary(binary.get(), first, expression());
    }
    Optional<Reduce.Function> reduce = find(Reduce.Function.values(), Reduce.Function::word, word);
    if (reduce.isPresent()) {
      List<Integer> places = new ArrayList<>();
      while (take(',')) {
        places.add(place(first, word()));
      }
      return new Reduce(reduce.get(), first, places);
    }
    if (word.equals("choose")) {
      expect(',');
      return first.choose(known(Rows.values(), Rows::word, word(), "kind of rows"));
    }
    if (word.equals("top")) {
      expect(',');
      String share = word();
      expect(',');
      TopMask.Ties ties = known(TopMask.Ties.values(), TopMask.Ties::word, word(), "rule for ties");
      return first.top(NUMBER.matcher(share).matches() ? Double.parseDouble(share) : -1, ties);
    }
    at = start;
    throw wrong("there is no operator '%s'".formatted(word));
  }

  private static int place(Expression of, String axis) {
    return axis.matches("\\d{1,2}")
        ? Reduce.over(Reduce.Function.SUM, of, Integer.parseInt(axis)).places().get(0)
        : Reduce.place(of, known(Axis.Kind.values(), Axis.Kind::word, axis, "axis"));
  }

  private static <T> Optional<T> none() {
    return Optional.empty();
  }

  private static <T> Optional<T> find(T[] values, Function<T, String> name, String word) {
    return Stream.of(values).filter(value -> name.apply(value).equals(word)).findFirst();
  }

  private static <T> T known(T[] values, Function<T, String> name, String word, String what) {
    return find(values, name, word)
        .orElseThrow(
            () ->
                new StrategyException(
                    "there is no %s '%s' in an expression; choose one of %s"
                        .formatted(what, word, Stream.of(values).map(name).toList())));
  }

  private String word() {
    Matcher word = WORD.matcher(text).region(at, text.length());
    if (!word.lookingAt()) {
      throw wrong("a word is missing");
    }
    at = word.end();
    return word.group(1);
  }

  private boolean take(char expected) {
    if (at < text.length() && text.charAt(at) == expected) {
      at++;
      while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
        at++;
      }
      return true;
    }
    return false;
  }

  private void expect(char expected) {
    if (!take(expected)) {
      throw wrong("'%c' is missing".formatted(expected));
    }
  }

  private StrategyException wrong(String what) {
    return new StrategyException(
        "'%s' is no expression: %s at '%s'".formatted(text, what, text.substring(at)));
  }
}
