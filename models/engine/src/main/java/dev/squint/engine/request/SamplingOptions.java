package dev.squint.engine.request;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.StringJoiner;

/**
 * How the next token is drawn. What is not set is as the model's {@code generation_config.json} has
 * it, and as transformers has it where that says nothing. Immutable; made by a builder:
 *
 * <pre>{@code
 * SamplingOptions sampling = SamplingOptions.builder().temperature(0.7).topP(0.9).seed(7).build();
 * }</pre>
 *
 * <p>Setting a temperature above 0, top-k, top-p or min-p samples; a temperature of 0 takes the
 * best token.
 */
public final class SamplingOptions {

  private static final SamplingOptions OF_MODEL = builder().build();

  private final OptionalDouble temperature;
  private final OptionalInt topK;
  private final OptionalDouble topP;
  private final OptionalDouble minP;
  private final OptionalDouble repetitionPenalty;
  private final OptionalDouble presencePenalty;
  private final long seed;

  private SamplingOptions(Builder builder) {
    temperature = builder.temperature;
    topK = builder.topK;
    topP = builder.topP;
    minP = builder.minP;
    repetitionPenalty = builder.repetitionPenalty;
    presencePenalty = builder.presencePenalty;
    seed = builder.seed;
  }

  /** As the model's {@code generation_config.json} has it, seed 0. */
  public static SamplingOptions ofModel() {
    return OF_MODEL;
  }

  /** The best token, whatever the model's {@code generation_config.json} says. */
  public static SamplingOptions greedy() {
    return builder().temperature(0).build();
  }

  /** Starts from what the model has. */
  public static Builder builder() {
    return new Builder();
  }

  /** What logits are divided by; 0 takes the best token. */
  public OptionalDouble temperature() {
    return temperature;
  }

  /** How many of the best tokens are drawn from; 0 for all. */
  public OptionalInt topK() {
    return topK;
  }

  /** Probability that the best tokens drawn from have together at least. */
  public OptionalDouble topP() {
    return topP;
  }

  /** Probability, as a share of the best token's, below which no token is drawn. */
  public OptionalDouble minP() {
    return minP;
  }

  /** What positive logits of tokens that are there already are divided by, others multiplied. */
  public OptionalDouble repetitionPenalty() {
    return repetitionPenalty;
  }

  /** What is taken from the logits of tokens that the answer has already. */
  public OptionalDouble presencePenalty() {
    return presencePenalty;
  }

  /** What drawing starts from; the same seed draws the same answer. */
  public long seed() {
    return seed;
  }

  private List<Object> parts() {
    return List.of(temperature, topK, topP, minP, repetitionPenalty, presencePenalty, seed);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SamplingOptions that && parts().equals(that.parts());
  }

  @Override
  public int hashCode() {
    return Objects.hash(parts());
  }

  @Override
  public String toString() {
    StringJoiner set = new StringJoiner(", ", "SamplingOptions[", "]");
    temperature.ifPresent(value -> set.add("temperature=" + value));
    topK.ifPresent(value -> set.add("topK=" + value));
    topP.ifPresent(value -> set.add("topP=" + value));
    minP.ifPresent(value -> set.add("minP=" + value));
    repetitionPenalty.ifPresent(value -> set.add("repetitionPenalty=" + value));
    presencePenalty.ifPresent(value -> set.add("presencePenalty=" + value));
    return set.add("seed=" + seed).toString();
  }

  /** Collects the options. */
  public static final class Builder {

    private OptionalDouble temperature = OptionalDouble.empty();
    private OptionalInt topK = OptionalInt.empty();
    private OptionalDouble topP = OptionalDouble.empty();
    private OptionalDouble minP = OptionalDouble.empty();
    private OptionalDouble repetitionPenalty = OptionalDouble.empty();
    private OptionalDouble presencePenalty = OptionalDouble.empty();
    private long seed;

    private Builder() {}

    /** Sets what logits are divided by, 0 or more; 0 takes the best token. */
    public Builder temperature(double value) {
      temperature = OptionalDouble.of(value);
      return this;
    }

    /** Sets how many of the best tokens are drawn from, 0 for all. */
    public Builder topK(int tokens) {
      topK = OptionalInt.of(tokens);
      return this;
    }

    /** Sets the probability that the best tokens drawn from have together, above 0 to 1. */
    public Builder topP(double probability) {
      topP = OptionalDouble.of(probability);
      return this;
    }

    /** Sets the share of the best token's probability that others need, 0 to 1. */
    public Builder minP(double share) {
      minP = OptionalDouble.of(share);
      return this;
    }

    /** Sets the penalty of tokens that are in prompt or answer, above 0; 1 for none. */
    public Builder repetitionPenalty(double penalty) {
      repetitionPenalty = OptionalDouble.of(penalty);
      return this;
    }

    /** Sets the penalty of tokens that are in the answer, -2 to 2; 0 for none. */
    public Builder presencePenalty(double penalty) {
      presencePenalty = OptionalDouble.of(penalty);
      return this;
    }

    /** Sets what drawing starts from; 0 unless set. */
    public Builder seed(long start) {
      seed = start;
      return this;
    }

    /**
     * Makes the options.
     *
     * @throws ModelException if a number is out of range
     */
    public SamplingOptions build() {
      require("temperature", temperature, 0, 100, "0 (greedy) to 100");
      require("top-p", topP, Double.MIN_VALUE, 1, "above 0 to 1");
      require("min-p", minP, 0, 1, "0 to 1");
      require("repetition penalty", repetitionPenalty, Double.MIN_VALUE, 100, "above 0 to 100");
      require("presence penalty", presencePenalty, -2, 2, "-2 to 2");
      if (topK.orElse(0) < 0) {
        throw new ModelException(
            Kind.BAD_REQUEST,
            "top-k is %d; choose 0 (all tokens) or more".formatted(topK.getAsInt()));
      }
      return new SamplingOptions(this);
    }

    private static void require(
        String name, OptionalDouble value, double least, double most, String range) {
      Optional<Double> given =
          value.isPresent() ? Optional.of(value.getAsDouble()) : Optional.empty();
      given
          .filter(number -> !(number >= least && number <= most))
          .ifPresent(
              number -> {
                throw new ModelException(
                    Kind.BAD_REQUEST, "%s is %s; choose %s".formatted(name, number, range));
              });
    }
  }
}
