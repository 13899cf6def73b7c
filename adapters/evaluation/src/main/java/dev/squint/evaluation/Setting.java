package dev.squint.evaluation;

/** What a caller sets, by the name that messages call it. */
public enum Setting {
  /** Retention ratios. */
  KEEP("keep"),
  /** Questions asked at most. */
  LIMIT("limit"),
  /** Seed of the draw and of random selection. */
  SEED("seed"),
  /** Questions at once. */
  WORKERS("workers"),
  /** Longest answer, in tokens. */
  MAX_NEW_TOKENS("max new tokens"),
  /** Requests timed. */
  TIMED("timed requests"),
  /** The metric that is plotted. */
  METRIC("metric"),
  /** The sentence after each question. */
  PROMPT_SUFFIX("prompt suffix"),
  /** Where results go. */
  OUTPUT("output"),
  /** The rule of what a configuration may cost. */
  BUDGET("budget"),
  /** Points of accuracy that may be lost. */
  MAX_DROP("max drop"),
  /** Points that may be lost against an earlier comparison. */
  MARGIN("margin"),
  /** Percent of speed that may be lost against an earlier comparison. */
  SPEED_MARGIN("speed margin");

  private final String words;

  Setting(String words) {
    this.words = words;
  }

  @Override
  public String toString() {
    return words;
  }
}
