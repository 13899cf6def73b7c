package dev.squint.onnx.internal.observe;

import dev.squint.pruning.observe.Expression;

/** Names of the outputs that give what is observed. */
public final class TapNames {

  private static final String PREFIX = "tap.";

  private TapNames() {}

  /** The name of the output that gives an expression. */
  public static String output(Expression expression) {
    return PREFIX + expression.canonical();
  }
}
