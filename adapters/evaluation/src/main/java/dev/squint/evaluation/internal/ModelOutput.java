package dev.squint.evaluation.internal;

import dev.squint.pruning.trace.Trace;
import java.util.Optional;

/**
 * What a configuration made of a question.
 *
 * @param text the answer
 * @param trace what that took, if it is known
 */
public record ModelOutput(String text, Optional<Trace> trace) {}
