package dev.squint.tokenizer;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What is known of a regular expression of a tokenizer before the native library runs it.
 *
 * <p>That library ends the process where a pattern matches nothing at all or takes too many steps,
 * so only expressions are taken of which neither can be: literals, classes, groups, alternatives,
 * look-around and quantifiers, where a group that repeats has a fixed length and at most one
 * repetition of a branch can be tried anew at every length. Those of Llama, Qwen, GPT-4o, DeepSeek,
 * Mistral, CLIP, BLOOM and Falcon are of this form. Back references, recursion, conditions and
 * extended syntax are refused.
 *
 * @param shortest characters that a match has at least
 * @param tries ways through optional and counted parts that are tried at each length of a
 *     repetition, at most; 0 if none is tried at more than one
 * @param again the repetitions whose lengths are all tried at each start of a match, and which no
 *     other alternative steps over: the steps grow with the square of the text
 */
record SplitPattern(int shortest, int tries, Set<String> again) {

  private static final int LONGEST = 8_192;
  private static final int DEEPEST = 8;
  private static final int MOST_REPEATS = 32;
  private static final int MOST_FIXED = 256;
  private static final int MOST_TRIES = 256;

  /** What stands for a literal, which matches itself only. */
  static SplitPattern literal(String text) {
    return new SplitPattern(text.length(), 0, Set.of());
  }

  /**
   * Reads an expression.
   *
   * @throws IllegalArgumentException if it is not of the form; the message says why
   */
  static SplitPattern of(String expression) {
    if (expression.length() > LONGEST) {
      throw refused("is longer than %d characters".formatted(LONGEST));
    }
    Reader reader = new Reader(expression);
    Choice all = reader.choice(0);
    if (!reader.atEnd()) {
      throw refused("has a bracket too many");
    }
    if (all.shortest() == 0) {
      throw refused("matches nothing at all");
    }
    if (all.repeats(false) > 1) {
      throw refused("repeats within what it repeats");
    }
    if (all.tries(false) > MOST_TRIES) {
      throw refused("has too many optional parts");
    }
    int tries = all.repeats(false) == 0 ? 0 : all.tries(false);
    return new SplitPattern(all.shortest(), tries, all.uncovered());
  }

  private static IllegalArgumentException refused(String why) {
    return new IllegalArgumentException(why);
  }

  /** A part of an expression. */
  private sealed interface Part permits Unit, Choice, Look {

    int shortest();

    /** Repetitions that are tried at every length, if what follows can fail. */
    int repeats(boolean canFailAfter);

    /** How many ways through optional and counted parts are tried, if what follows can fail. */
    int tries(boolean canFailAfter);

    default boolean canFail() {
      return shortest() > 0;
    }
  }

  /**
   * A character, class or anchor, or a group of fixed length, repeated.
   *
   * @param source as it is written
   * @param length characters of one
   * @param least how often
   * @param most how often, -1 without end
   * @param possessive whether it never gives back
   */
  private record Unit(String source, int length, int least, int most, boolean possessive)
      implements Part {

    @Override
    public int shortest() {
      return length * least;
    }

    boolean endless() {
      return most < 0;
    }

    @Override
    public int repeats(boolean canFailAfter) {
      // One that never gives back is gone through again from each start of a match all the same.
      return endless() && canFailAfter ? 1 : 0;
    }

    @Override
    public int tries(boolean canFailAfter) {
      return endless() || possessive || !canFailAfter ? 1 : most - least + 1;
    }

    @Override
    public boolean canFail() {
      return least > 0;
    }
  }

  /** Look-around: what is in it is not tried anew once it was found. */
  private record Look(Choice inner) implements Part {

    @Override
    public int shortest() {
      return 0;
    }

    @Override
    public int repeats(boolean canFailAfter) {
      // Even what cannot fail is looked at again from each start of a match.
      return inner.repeats(true);
    }

    @Override
    public int tries(boolean canFailAfter) {
      return inner.tries(true);
    }

    @Override
    public boolean canFail() {
      return true;
    }
  }

  /**
   * Alternatives, or a group of these.
   *
   * @param branches each a sequence
   * @param optional whether it may be left out
   */
  private record Choice(List<List<Part>> branches, boolean optional) implements Part {

    @Override
    public int shortest() {
      return optional
          ? 0
          : branches.stream()
              .mapToInt(branch -> branch.stream().mapToInt(Part::shortest).sum())
              .min()
              .orElse(0);
    }

    @Override
    public boolean canFail() {
      return !optional
          && branches.stream().allMatch(branch -> branch.stream().anyMatch(Part::canFail));
    }

    @Override
    public int repeats(boolean canFailAfter) {
      return branches.stream().mapToInt(branch -> repeats(branch, canFailAfter)).max().orElse(0);
    }

    private static int repeats(List<Part> branch, boolean canFailAfter) {
      int repeats = 0;
      boolean canFail = canFailAfter;
      for (int i = branch.size() - 1; i >= 0; i--) {
        repeats += branch.get(i).repeats(canFail);
        canFail |= branch.get(i).canFail();
      }
      return repeats;
    }

    @Override
    public int tries(boolean canFailAfter) {
      IntStream each = branches.stream().mapToInt(branch -> tries(branch, canFailAfter));
      return canFailAfter
          ? Math.min(MOST_TRIES + 1, (optional ? 1 : 0) + each.sum())
          : each.max().orElse(1);
    }

    private static int tries(List<Part> branch, boolean canFailAfter) {
      int product = 1;
      boolean canFail = canFailAfter;
      for (int i = branch.size() - 1; i >= 0; i--) {
        product = Math.min(MOST_TRIES + 1, product * branch.get(i).tries(canFail));
        canFail |= branch.get(i).canFail();
      }
      return product;
    }

    /**
     * Repetitions tried at every length whose run no alternative after takes as a whole. One does
     * if nothing but optional characters stands before the same repetition in it, as {@code \s+}
     * does after {@code \s*[\r\n]+} and {@code \s+(?!\S)}.
     */
    Set<String> uncovered() {
      Set<String> found = new HashSet<>();
      Set<String> waiting = new HashSet<>();
      for (List<Part> branch : branches) {
        Optional<String> tried = tried(branch);
        Set<String> covered = repeats(branch, false) == 0 ? covers(branch) : Set.of();
        if (!waiting.isEmpty() && !waiting.equals(Set.of(tried.orElse("")))) {
          waiting.removeAll(covered);
          found.addAll(waiting);
          waiting.clear();
        }
        tried.ifPresent(waiting::add);
      }
      found.addAll(waiting);
      return Set.copyOf(found);
    }

    /** The repetition of a branch that is tried at every length. */
    private static Optional<String> tried(List<Part> branch) {
      boolean canFail = false;
      for (int i = branch.size() - 1; i >= 0; i--) {
        Part part = branch.get(i);
        if (part.repeats(canFail) > 0) {
          return Optional.of(
              part instanceof Unit unit && unit.length() == 1 ? unit.source() : "a group");
        }
        canFail |= part.canFail();
      }
      return Optional.empty();
    }

    /** The repetition that a branch takes as a whole whatever follows. */
    private static Set<String> covers(List<Part> branch) {
      for (int i = 0; i < branch.size(); i++) {
        if (!(branch.get(i) instanceof Unit unit) || unit.length() != 1) {
          return Set.of();
        }
        if (unit.endless()) {
          boolean canFail = branch.subList(i + 1, branch.size()).stream().anyMatch(Part::canFail);
          return canFail ? Set.of() : Set.of(unit.source());
        }
        if (unit.least() > 0) {
          return Set.of();
        }
      }
      return Set.of();
    }
  }

  /** Reads an expression from left to right. */
  private static final class Reader {

    private final String text;
    private int at;
    private int fixed;

    Reader(String text) {
      this.text = text;
      if (text.startsWith("(?i)")) {
        at = 4;
      }
    }

    boolean atEnd() {
      return at >= text.length();
    }

    private boolean next(String wanted) {
      if (text.startsWith(wanted, at)) {
        at += wanted.length();
        return true;
      }
      return false;
    }

    private char take() {
      if (atEnd()) {
        throw refused("ends too early");
      }
      return text.charAt(at++);
    }

    Choice choice(int depth) {
      if (depth > DEEPEST) {
        throw refused("is nested deeper than %d groups".formatted(DEEPEST));
      }
      List<List<Part>> branches = new ArrayList<>();
      do {
        List<Part> branch = new ArrayList<>();
        while (!atEnd() && text.charAt(at) != '|' && text.charAt(at) != ')') {
          branch.add(part(depth));
        }
        branches.add(branch);
      } while (next("|"));
      return new Choice(branches, false);
    }

    private Part part(int depth) {
      int start = at;
      char c = take();
      if (c == '(') {
        return group(depth);
      }
      int length = 1;
      switch (c) {
        case '[' -> skipClass();
        case '\\' -> length = escape();
        case '^', '$' -> length = 0;
        case '*', '+', '?', '{', '}', ']' ->
            throw refused("has '%c' where no character stands before it".formatted(c));
        default -> {
          if (Character.isHighSurrogate(c) && !atEnd()) {
            at++;
          }
        }
      }
      String source = text.substring(start, at);
      if (length == 0) {
        refuseQuantifier();
        return new Look(new Choice(List.of(List.of()), false));
      }
      return quantified(source, length);
    }

    private Part group(int depth) {
      if (next("?=") || next("?!")) {
        return look(depth);
      }
      if (next("?<=") || next("?<!")) {
        Look look = look(depth);
        if (look.inner().branches().stream().anyMatch(branch -> fixed(branch) < 0)) {
          throw refused("looks back over parts of no fixed length");
        }
        return look;
      }
      if (next("?") && !next(":") && !next("i:") && !next(">")) {
        throw refused("has a kind of group that is not taken");
      }
      int start = at;
      Choice inner = choice(depth + 1);
      String source = text.substring(start, at);
      close();
      if (next("?")) {
        refuseQuantifier();
        return new Choice(inner.branches(), true);
      }
      if (atEnd() || "*+{".indexOf(text.charAt(at)) < 0) {
        return inner;
      }
      int length = inner.branches().size() == 1 ? fixed(inner.branches().get(0)) : -1;
      if (length < 1) {
        throw refused("repeats a group of no fixed length");
      }
      return quantified("(" + source + ")", length);
    }

    private Look look(int depth) {
      Choice inner = choice(depth + 1);
      close();
      refuseQuantifier();
      return new Look(inner);
    }

    private void close() {
      if (!next(")")) {
        throw refused("has a bracket that is not closed");
      }
    }

    /** Characters of a sequence, -1 if they may differ. */
    private static int fixed(List<Part> branch) {
      int length = 0;
      for (Part part : branch) {
        if (!(part instanceof Unit unit) || unit.least() != unit.most()) {
          return -1;
        }
        length += unit.shortest();
      }
      return length;
    }

    private Part quantified(String source, int length) {
      int least = 1;
      int most = 1;
      boolean counted = false;
      if (next("*")) {
        least = 0;
        most = -1;
      } else if (next("+")) {
        most = -1;
      } else if (next("?")) {
        least = 0;
      } else if (next("{")) {
        counted = true;
        int end = text.indexOf('}', at);
        String[] bounds = end < 0 ? new String[0] : text.substring(at, end).split(",", -1);
        if (bounds.length < 1 || bounds.length > 2) {
          throw refused("has a '{' that is no quantifier");
        }
        least = count(bounds[0]);
        most = bounds.length == 1 ? least : bounds[1].isEmpty() ? -1 : count(bounds[1]);
        if (most >= 0 && most < least) {
          throw refused("has a '{' that is no quantifier");
        }
        at = end + 1;
      } else {
        return unit(source, length, 1, 1, false);
      }
      boolean possessive = !counted && next("+");
      if (!counted && !possessive) {
        next("?");
      }
      refuseQuantifier();
      return unit(source, length, least, most, possessive);
    }

    private Unit unit(String source, int length, int least, int most, boolean possessive) {
      fixed += length * Math.max(1, Math.max(least, most));
      if (fixed > MOST_FIXED) {
        throw refused("has more than %d characters and classes".formatted(MOST_FIXED));
      }
      return new Unit(source, length, least, most, possessive);
    }

    private static int count(String digits) {
      if (!digits.matches("[0-9]{1,3}") || Integer.parseInt(digits) > MOST_REPEATS) {
        throw refused(
            "has a '{' that is no quantifier of up to %d repetitions".formatted(MOST_REPEATS));
      }
      return Integer.parseInt(digits);
    }

    private void refuseQuantifier() {
      if (!atEnd() && "*+?{".indexOf(text.charAt(at)) >= 0) {
        throw refused("has a quantifier of what cannot be repeated");
      }
    }

    /** Characters that the escape stands for: 1, or 0 for an anchor. */
    private int escape() {
      char c = take();
      if ("bBAzZ".indexOf(c) >= 0) {
        return 0;
      }
      if (c == 'p' || c == 'P') {
        int end = text.indexOf('}', at);
        if (!text.startsWith("{", at) || end < 0) {
          throw refused("has a \\p without a name");
        }
        at = end + 1;
      } else if (c == 'u' || c == 'x') {
        int digits = c == 'u' ? 4 : 2;
        if (text.length() < at + digits
            || !text.substring(at, at + digits).matches("[0-9A-Fa-f]+")) {
          throw refused("has a \\%c without %d digits".formatted(c, digits));
        }
        at += digits;
      } else if (c < 128 && Character.isLetterOrDigit(c) && "sSdDwWhHrntfv".indexOf(c) < 0) {
        throw refused("has \\%c, which is not taken".formatted(c));
      }
      return 1;
    }

    /** A class, which may hold others. */
    private void skipClass() {
      int open = 1;
      int members = 0;
      next("^");
      while (open > 0) {
        char c = take();
        if (c == '[') {
          open++;
          next("^");
        } else if (c == ']') {
          if (members == 0) {
            throw refused("has an empty class");
          }
          open--;
        } else if (c == '\\') {
          escape();
        }
        members++;
      }
    }
  }
}
