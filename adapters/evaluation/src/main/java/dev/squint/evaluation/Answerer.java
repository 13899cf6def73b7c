package dev.squint.evaluation;

import dev.squint.evaluation.data.Sample;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.trace.Trace;
import java.util.Objects;
import java.util.Optional;

/**
 * Answers questions about images: a service of one's own, evaluated as Squint's models are.
 *
 * <p>Called by as many threads at once as the comparison has workers. A runtime exception that it
 * throws fails that question only; its message goes into the results.
 */
@FunctionalInterface
public interface Answerer {

  /**
   * Answers one question.
   *
   * @param request what is asked
   * @return the answer
   */
  Reply answer(Request request);

  /**
   * A question, and how it is to be answered.
   *
   * @param sample the question as it is put, with its image
   * @param strategy what is to prune; {@code none} for the service as it stands. A service that
   *     prunes nothing is asked with {@code none} only, unless strategies are compared
   * @param maxNewTokens tokens after which the answer should end
   * @param seed what random selection starts from
   */
  record Request(Sample sample, Strategy strategy, int maxNewTokens, long seed) {

    /** Checks that question and strategy are there. */
    public Request {
      Objects.requireNonNull(sample, "sample");
      Objects.requireNonNull(strategy, "strategy");
    }
  }

  /**
   * An answer.
   *
   * @param text what was said
   * @param trace what was pruned and how long it took; empty if the service does not tell, so that
   *     there are no FLOPs, times and plots of it
   */
  record Reply(String text, Optional<Trace> trace) {

    /** Checks that both are there. */
    public Reply {
      Objects.requireNonNull(text, "text");
      Objects.requireNonNull(trace, "trace");
    }

    /** An answer of which nothing else is known. */
    public static Reply of(String text) {
      return new Reply(text, Optional.empty());
    }
  }
}
