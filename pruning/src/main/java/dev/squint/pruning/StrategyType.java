package dev.squint.pruning;

import dev.squint.error.StrategyException;
import dev.squint.pruning.spec.Component;
import dev.squint.pruning.spec.Parameter;
import dev.squint.pruning.spec.ParsedParameters;
import java.lang.invoke.MethodType;
import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The descriptor of a strategy: all there is to say about its name and parameters, from which
 * reading and writing specs, checking values and listings follow. A strategy is a record that
 * implements {@link DescribedStrategy} and has a class nested in it that extends this one:
 *
 * <pre>{@code
 * public record Lightest(double keep) implements DescribedStrategy {
 *
 *   private static final Type TYPE = new Type();
 *
 *   public Lightest {
 *     TYPE.check(keep);
 *   }
 *
 *   public Type type() {
 *     return TYPE;
 *   }
 *   ...
 *   public static final class Type extends StrategyType<Lightest> {
 *     public Type() {
 *       super(Lightest.class, "lightest", "keeps the lightest visual tokens", "baseline",
 *           Parameter.ratio("keep", 0.5, "share of visual tokens kept"));
 *     }
 *   }
 * }
 * }</pre>
 *
 * <p>The {@link java.util.ServiceLoader} finds it where that class is named in {@code
 * META-INF/services/dev.squint.pruning.StrategyType}. A record with several names has one such
 * class for each.
 *
 * @param <S> the strategy's record, public unless its module is open to this one
 */
public abstract class StrategyType<S extends Record & Strategy> {

  private final Class<S> record;
  private final String name;
  private final String summary;
  private final String paper;
  private final List<Component<?>> inSpec;
  private final List<Component<?>> inRecord = new ArrayList<>();
  private final List<Method> accessors = new ArrayList<>();
  private final Constructor<S> constructor;

  /**
   * Describes a strategy.
   *
   * @param record its class
   * @param name lower-case letters, digits and hyphens, unique among all strategies
   * @param summary what the strategy does, one short sentence without a full stop
   * @param paper author, title and year, or "baseline"
   * @param components the record's components, in the order of the canonical spec; each has the
   *     name of one in the record's header
   * @throws IllegalArgumentException if they are not those of the record
   */
  protected StrategyType(
      Class<S> record, String name, String summary, String paper, Component<?>... components) {
    this.record = Objects.requireNonNull(record, "record");
    this.name = Objects.requireNonNull(name, "name");
    this.summary = Objects.requireNonNull(summary, "summary");
    this.paper = Objects.requireNonNull(paper, "paper");
    this.inSpec = List.of(components);
    RecordComponent[] header = record.getRecordComponents();
    for (RecordComponent component : header) {
      inRecord.add(described(component.getName()));
    }
    if (header.length != inSpec.size()) {
      throw new IllegalArgumentException(
          "strategy '%s' describes %d components, but %s has %d"
              .formatted(name, inSpec.size(), record.getName(), header.length));
    }
    for (Component<?> component : inSpec) {
      accessors.add(accessible(header[inRecord.indexOf(component)].getAccessor()));
    }
    Class<?>[] types = Arrays.stream(header).map(RecordComponent::getType).toArray(Class<?>[]::new);
    try {
      constructor = accessible(record.getDeclaredConstructor(types));
    } catch (NoSuchMethodException e) {
      throw new AssertionError("a record without its constructor: " + record, e);
    }
  }

  private Component<?> described(String component) {
    return inSpec.stream()
        .filter(candidate -> candidate.name().equals(component))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "strategy '%s' does not describe %s.%s"
                        .formatted(name, record.getName(), component)));
  }

  private static <M extends AccessibleObject> M accessible(M member) {
    member.trySetAccessible();
    return member;
  }

  /** The name in spec strings. */
  public final String name() {
    return name;
  }

  /** What the strategy does. */
  public final String summary() {
    return summary;
  }

  /** Where the strategy comes from. */
  public final String paper() {
    return paper;
  }

  /** The parameters it takes, in the order of the canonical spec. */
  public final List<Parameter<?>> parameters() {
    List<Parameter<?>> parameters = new ArrayList<>();
    inSpec.forEach(component -> parameters.addAll(component.parameters()));
    return List.copyOf(parameters);
  }

  /**
   * Makes the strategy.
   *
   * @param given the values given in the spec
   * @return the strategy, defaults filled in
   * @throws StrategyException if a value is malformed or out of range
   */
  public final S create(ParsedParameters given) {
    return made(inRecord.stream().map(component -> component.read(given)).toArray());
  }

  /**
   * Makes the strategy from values of its record's components, without a spec:
   *
   * <pre>{@code
   * SparseVlm strategy = new SparseVlm.Type().of(Map.of("count", "table", "table", "128"));
   * }</pre>
   *
   * @param values by name of the component; those left out have their defaults
   * @return the strategy
   * @throws StrategyException if there is no such component, or a value is none of its type or out
   *     of range
   */
  public final S of(Map<String, ?> values) {
    ParsedParameters nothing = new ParsedParameters(name, Map.of());
    List<String> left = new ArrayList<>(values.keySet());
    Object[] made = new Object[inRecord.size()];
    for (int i = 0; i < made.length; i++) {
      Component<?> component = inRecord.get(i);
      made[i] =
          left.remove(component.name())
              ? typed(component, constructor.getParameterTypes()[i], values.get(component.name()))
              : component.read(nothing);
    }
    if (!left.isEmpty()) {
      throw new StrategyException(
          "strategy '%s' has no component '%s'; it has %s"
              .formatted(
                  name,
                  left.get(0),
                  String.join(", ", inRecord.stream().map(Component::name).toList())));
    }
    return made(made);
  }

  private Object typed(Component<?> component, Class<?> type, Object value) {
    if (!MethodType.methodType(type).wrap().returnType().isInstance(value)) {
      throw new StrategyException(
          "strategy '%s': %s takes a value of type %s, got %s"
              .formatted(name, component.name(), type.getSimpleName(), value));
    }
    return value;
  }

  private S made(Object[] values) {
    try {
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof RuntimeException refused) {
        throw refused;
      }
      throw failed(e);
    } catch (ReflectiveOperationException e) {
      throw failed(e);
    }
  }

  /**
   * Checks the values of a record's components; its constructor calls this.
   *
   * @param values in the order of the record's header
   * @throws StrategyException if one is out of range, with the sentence that a spec gets
   */
  public final void check(Object... values) {
    if (values.length != inRecord.size()) {
      throw new IllegalArgumentException(
          "strategy '%s' has %d components, not %d"
              .formatted(name, inRecord.size(), values.length));
    }
    for (int i = 0; i < values.length; i++) {
      Component<?> component = inRecord.get(i);
      check(component, Objects.requireNonNull(values[i], component.name()));
    }
  }

  @SuppressWarnings("unchecked")
  private <T> void check(Component<T> component, Object value) {
    component.check(name, (T) value);
  }

  /**
   * Writes the canonical spec.
   *
   * @param strategy a strategy of this type
   * @return for example {@code fastv:k=2,keep=0.5}
   */
  public final String spec(Strategy strategy) {
    S values = record.cast(strategy);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < inSpec.size(); i++) {
      if (writes(values, inSpec.get(i).name())) {
        texts.addAll(text(inSpec.get(i), accessors.get(i), values));
      }
    }
    return texts.isEmpty() ? name : name + ":" + String.join(",", texts);
  }

  @SuppressWarnings("unchecked")
  private <T> List<String> text(Component<T> component, Method accessor, S strategy) {
    try {
      return component.write((T) accessor.invoke(strategy));
    } catch (ReflectiveOperationException e) {
      throw failed(e);
    }
  }

  private IllegalStateException failed(ReflectiveOperationException cause) {
    return new IllegalStateException(
        "strategy '%s': the record %s cannot be used; make it public, with a constructor that fails with unchecked exceptions only"
            .formatted(name, record.getName()),
        cause);
  }

  /**
   * Tells whether a component stands in the canonical spec. What is left out is not read there.
   *
   * @param strategy the strategy
   * @param component the name of a component
   * @return true unless overridden
   */
  protected boolean writes(S strategy, String component) {
    return true;
  }
}
