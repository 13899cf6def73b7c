package dev.squint.pruning.observe;

import dev.squint.error.StrategyException;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A named tensor of a place; {@link Place} makes them.
 *
 * @param place where
 * @param tensor which
 * @param rows which tokens; of attention probabilities which queries
 */
public record Leaf(Place place, Tensor tensor, Rows rows) implements Expression {

  private static final Set<Rows> IN_TOWER = EnumSet.of(Rows.ALL, Rows.VISUAL, Rows.CLS);
  private static final Set<Rows> IN_DECODER = EnumSet.complementOf(EnumSet.of(Rows.CLS));
  private static final Set<Rows> AT_INPUT = EnumSet.complementOf(EnumSet.of(Rows.CLS, Rows.ALL));

  private static final Map<Place.Kind, Set<Tensor>> TENSORS =
      Map.of(
          Place.Kind.DECODER,
          EnumSet.range(Tensor.Q, Tensor.MLP),
          Place.Kind.VISION,
          EnumSet.complementOf(EnumSet.of(Tensor.NORMED, Tensor.FEATURES, Tensor.EMBEDS)),
          Place.Kind.BEFORE_PROJECTOR,
          EnumSet.of(Tensor.FEATURES),
          Place.Kind.PROJECTED,
          EnumSet.of(Tensor.FEATURES),
          Place.Kind.INPUT,
          EnumSet.of(Tensor.EMBEDS));

  /** Names of tensors. */
  public enum Tensor {
    /** Queries. */
    Q,
    /** Keys. */
    K,
    /** Values. */
    V,
    /** Attention probabilities. */
    PROBABILITIES,
    /** Hidden states. */
    HIDDEN,
    /** Hidden states after the decoder's last norm. */
    NORMED,
    /** Activations of the feed-forward. */
    MLP,
    /** Features of the image. */
    FEATURES,
    /** Embeddings of the prompt. */
    EMBEDS;

    /** How it is written in the text of an expression. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Leaf {
    Objects.requireNonNull(place, "place");
    Objects.requireNonNull(tensor, "tensor");
    Objects.requireNonNull(rows, "rows");
    if (!TENSORS.get(place.kind()).contains(tensor)) {
      throw new StrategyException(
          "%s has no tensor '%s'; choose one of %s"
              .formatted(
                  place.words(),
                  tensor.word(),
                  TENSORS.get(place.kind()).stream().map(Tensor::word).toList()));
    }
    Set<Rows> known = rowsOf(place.kind());
    if (!known.contains(rows)) {
      throw new StrategyException(
          "%s has no rows '%s'; choose one of %s"
              .formatted(place.words(), rows.word(), known.stream().map(Rows::word).toList()));
    }
  }

  private static Set<Rows> rowsOf(Place.Kind kind) {
    return switch (kind) {
      case DECODER -> IN_DECODER;
      case VISION -> IN_TOWER;
      case BEFORE_PROJECTOR, PROJECTED -> EnumSet.of(Rows.VISUAL);
      case INPUT -> AT_INPUT;
    };
  }

  @Override
  public List<Axis> axes() {
    boolean decoder = place.kind() == Place.Kind.DECODER;
    Axis tokens = Axis.of(Axis.Kind.TOKENS, rows);
    return switch (tensor) {
      case Q -> List.of(Axis.of(Axis.Kind.HEADS), tokens, Axis.of(Axis.Kind.HEAD_WIDTH));
      case K, V ->
          List.of(
              Axis.of(decoder ? Axis.Kind.KV_HEADS : Axis.Kind.HEADS),
              tokens,
              Axis.of(Axis.Kind.HEAD_WIDTH));
      case PROBABILITIES ->
          List.of(
              Axis.of(Axis.Kind.HEADS),
              Axis.of(Axis.Kind.QUERIES, rows),
              Axis.of(Axis.Kind.TOKENS, Rows.ALL));
      case MLP -> List.of(tokens, Axis.of(Axis.Kind.NEURONS));
      case HIDDEN, NORMED, FEATURES, EMBEDS ->
          List.of(
              tokens,
              Axis.of(
                  place.kind().part() == Place.Part.VISION
                      ? Axis.Kind.VISION_HIDDEN
                      : Axis.Kind.HIDDEN));
    };
  }

  @Override
  public Stream<Expression> operands() {
    return Stream.empty();
  }

  @Override
  public <T> T apply(Algebra<T> algebra, List<T> operands) {
    return algebra.leaf(this);
  }

  @Override
  public String canonical() {
    return place + "." + tensor.word() + "[" + rows.word() + "]";
  }

  @Override
  public String toString() {
    return canonical();
  }
}
