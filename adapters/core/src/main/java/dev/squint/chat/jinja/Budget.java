package dev.squint.chat.jinja;

/** What rendering may cost: a template is a stranger's program. */
final class Budget {

  private static final long MOST_STEPS = 2_000_000;
  private static final long MOST_CHARACTERS = 4_000_000;
  private static final long MOST_COMPARED = 200_000_000;

  /** Characters that may be made for each that is passed in. */
  private static final long PER_CHARACTER = 64;

  /** Characters that may be looked at for each that is passed in. */
  private static final long COMPARED_PER_CHARACTER = 1_000;

  private static final int DEEPEST = 100;

  private long steps = MOST_STEPS;
  private long compared;
  private long characters;
  private int depth;

  Budget(long given) {
    this.characters = MOST_CHARACTERS + PER_CHARACTER * given;
    this.compared = MOST_COMPARED + COMPARED_PER_CHARACTER * given;
  }

  void steps(long more) {
    steps -= more;
    if (steps < 0) {
      throw Fault.of("it takes more than %,d steps", MOST_STEPS);
    }
  }

  void characters(long more) {
    characters -= more;
    if (characters < 0) {
      throw Fault.of("it makes more than %,d characters of text", MOST_CHARACTERS);
    }
  }

  /** Pays for a search that may compare each character of one text with each of another. */
  void search(int within, int wanted) {
    compared -= (long) within * Math.max(1, wanted);
    if (compared < 0) {
      throw Fault.of("it searches long texts for long texts");
    }
  }

  void enter() {
    if (++depth > DEEPEST) {
      throw Fault.of("its macros call each other more than %d deep", DEEPEST);
    }
  }

  void leave() {
    depth--;
  }
}
