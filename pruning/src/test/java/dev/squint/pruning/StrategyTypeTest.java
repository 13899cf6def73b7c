package dev.squint.pruning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.StrategyException;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.Scope;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Budget;
import dev.squint.pruning.spec.Component;
import dev.squint.pruning.spec.Parameter;
import dev.squint.pruning.spec.ParsedParameters;
import dev.squint.pruning.strategies.baseline.Random;
import dev.squint.pruning.strategies.cache.AVL;
import dev.squint.pruning.strategies.cache.KvQuant;
import dev.squint.pruning.strategies.cache.SparseMM;
import dev.squint.pruning.strategies.decoder.Layerwise;
import dev.squint.pruning.strategies.decoder.PSigmoid;
import dev.squint.pruning.strategies.decoder.PyramidDrop;
import dev.squint.pruning.strategies.decoder.SparseVlm;
import dev.squint.pruning.strategies.decoder.VisualTokenExit;
import dev.squint.pruning.strategies.vision.VScan;
import dev.squint.pruning.strategies.vision.VtcCls;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class StrategyTypeTest {

  /** Counts how often strategies are looked for, and finds one more than its parent does. */
  private static final class Jar extends ClassLoader {

    private final URL services;
    private int looked;

    private Jar(Path folder) throws IOException {
      super(StrategyTypeTest.class.getClassLoader());
      services =
          Files.writeString(folder.resolve("services"), "dev.squint.pruning.FirstTokens$Type\n")
              .toUri()
              .toURL();
    }

    @Override
    protected Enumeration<URL> findResources(String name) {
      if (!name.equals("META-INF/services/" + StrategyType.class.getName())) {
        return Collections.emptyEnumeration();
      }
      looked++;
      return Collections.enumeration(List.of(services));
    }
  }

  private static <T> T within(ClassLoader loader, Callable<T> action) throws Exception {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(loader);
    try {
      return action.call();
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  @Test
  void oneFileInAnotherJarIsFoundAndLookedForOnce(@TempDir Path folder) throws Exception {
    Jar jar = new Jar(folder);
    assertThat(within(jar, () -> Strategies.parse("first:keep=0.25")))
        .isEqualTo(new FirstTokens(0.25));
    assertThat(within(jar, () -> Strategies.parse("first + fastv").spec()))
        .isEqualTo("first:keep=0.5 + fastv:k=2,keep=0.5");
    assertThatThrownBy(() -> within(jar, () -> Strategies.parse("first:kep=1")))
        .hasMessage(
            "strategy 'first': unknown parameter 'kep'; did you mean 'keep'? It takes keep");
    assertThat(jar.looked).isEqualTo(1);
    assertThat(Strategies.available()).extracting(StrategyType::name).doesNotContain("first");
  }

  @Test
  void objectsAreCheckedAsSpecsAre() {
    assertThatThrownBy(() -> new FirstTokens(1.5))
        .isInstanceOf(StrategyException.class)
        .hasMessage(
            "strategy 'first': keep=1.5 is out of range; choose a retention ratio above 0 and at most 1");
    assertThatThrownBy(() -> new PyramidDrop(null, 0.5, List.of()))
        .isInstanceOf(NullPointerException.class)
        .hasMessage("rule");
  }

  static Stream<Arguments> bad() {
    return Stream.of(
        bad("avl:every=0", () -> new AVL(0.1, 0.5, 0)),
        bad("kv-quant:bits=3", () -> new KvQuant(3, 2, 0.5, 0, 4, false)),
        bad("layerwise:count=0", () -> layerwise("last", List.of(), List.of(0))),
        bad("layerwise:share=1.5", () -> layerwise("last", List.of(1.5), List.of())),
        bad("layerwise:score=lost", () -> layerwise("lost", List.of(), List.of())),
        bad("psigmoid:steep=0.0", () -> new PSigmoid(0.5, 0, 0.1, List.of())),
        bad("pyramiddrop:layers=7/3", () -> new PyramidDrop("paper", 0.5, List.of(7, 3))),
        bad("sparsemm:window=0", () -> new SparseMM(1, OptionalInt.empty(), 0, Optional.empty())),
        bad("vscan:local=0", () -> scan(OptionalInt.of(0))),
        bad("exit:below=2.0", () -> new VisualTokenExit.AttentionBelow(2)),
        bad("vtc-cls:layers=0", () -> new VtcCls(OptionalInt.of(0), "paper", half())));
  }

  private static Arguments bad(String spec, ThrowingCallable making) {
    return Arguments.of(spec, making);
  }

  private static Layerwise layerwise(String score, List<Double> shares, List<Integer> counts) {
    return new Layerwise(score, "fixed", shares, counts, List.of(), Optional.empty());
  }

  private static VScan scan(OptionalInt local) {
    return new VScan("both", List.of(), List.of(), "before", "paper", List.of(), local);
  }

  private static Budget half() {
    return new Budget(0.5, OptionalInt.empty(), Scope.TILE);
  }

  @ParameterizedTest
  @MethodSource("bad")
  void aBadValueGetsTheSentenceOfItsSpec(String spec, ThrowingCallable making) {
    String sentence = null;
    try {
      Strategies.parse(spec);
    } catch (StrategyException e) {
      sentence = e.getMessage();
    }
    assertThat(sentence).contains(spec.substring(spec.indexOf(':') + 1) + " is ");
    assertThatThrownBy(making).isInstanceOf(StrategyException.class).hasMessage(sentence);
  }

  @Test
  void aSiteThatNoSpecNamesIsRefused() {
    assertThatThrownBy(() -> new Random(half(), OptionalLong.empty(), new Site.BeforeProjector()))
        .hasMessage(
            "strategy 'random': at=before-projector is out of range; choose vision, or a decoder layer of at least 1");
  }

  @Test
  void severalValuesAreReadOneByOne() {
    assertThatThrownBy(() -> Strategies.parse("twilight:layers=3/x"))
        .hasMessage(
            "strategy 'twilight': layers=3/x has 'x', which is not a whole number; choose ascending decoder layers of at least 1, joined by '/', such as 3/7/16");
  }

  record Painted(String colour, int depth) implements DescribedStrategy {

    private static final Type TYPE = new Type();

    Painted {
      TYPE.check(colour, depth);
    }

    @Override
    public Type type() {
      return TYPE;
    }

    @Override
    public List<SitePlan> plan(ModelShape model) {
      return List.of();
    }

    /** Spec and header need not have the same order. */
    static final class Type extends StrategyType<Painted> {

      Type() {
        super(
            Painted.class,
            "painted",
            "paints",
            "baseline",
            Parameter.whole("depth", 2, 1, 9, "how deep"),
            Parameter.of(
                "colour",
                "red",
                "red or blue",
                colour -> !colour.equals("green"),
                Type::read,
                "what is seen"));
      }

      private static String read(String text) {
        if (text.equals("loud")) {
          throw new IllegalArgumentException("is not a colour");
        }
        return text;
      }

      @Override
      protected boolean writes(Painted strategy, String component) {
        return !component.equals("colour") || strategy.depth > 1;
      }
    }
  }

  @Test
  void anyTypeOfParameterCanBeMade() {
    assertThat(new Painted("blue", 3).spec()).isEqualTo("painted:depth=3,colour=blue");
    assertThat(new Painted("blue", 1).spec()).isEqualTo("painted:depth=1");
    assertThatThrownBy(() -> new Painted("green", 3))
        .hasMessage("strategy 'painted': colour=green is out of range; choose red or blue");
    assertThatThrownBy(
            () ->
                new Painted.Type()
                    .create(new ParsedParameters("painted", Map.of("colour", "loud"))))
        .isInstanceOf(StrategyException.class)
        .hasMessage("strategy 'painted': colour=loud is not a colour; choose red or blue");
    assertThatThrownBy(() -> Painted.TYPE.check("red"))
        .hasMessage("strategy 'painted' has 2 components, not 1");
  }

  @Test
  void aDescriptorIsThatOfItsRecord() {
    Parameter<String> colour = Parameter.choice("colour", List.of("red"), "what is seen");
    Parameter<Integer> depth = Parameter.whole("depth", 1, 1, "how deep");
    assertThatThrownBy(() -> described(colour))
        .hasMessageContaining("does not describe")
        .hasMessageContaining("depth");
    assertThatThrownBy(() -> described(colour, depth, Component.fixed("more", 1)))
        .hasMessageContaining("describes 3 components");
  }

  private static StrategyType<Painted> described(Component<?>... components) {
    return new StrategyType<>(Painted.class, "painted", "paints", "baseline", components) {};
  }

  @Test
  void aStrategyIsMadeFromNamedValues() {
    SparseVlm.Type type = new SparseVlm.Type();
    assertThat(type.of(Map.of())).isEqualTo(Strategies.parse("sparsevlm"));
    assertThat(type.of(Map.of("count", "table", "table", "128", "layers", List.of(2, 5))))
        .isEqualTo(Strategies.parse("sparsevlm:count=table,table=128,layers=2/5"));
  }

  @Test
  void valuesThatDoNotFitAreNamed() {
    SparseVlm.Type type = new SparseVlm.Type();
    assertThatThrownBy(() -> type.of(Map.of("tau", 0.2, "tao", 1)))
        .isInstanceOf(StrategyException.class)
        .hasMessageStartingWith("strategy 'sparsevlm' has no component 'tao'; it has rule, count,");
    assertThatThrownBy(() -> type.of(Map.of("tau", "0.2")))
        .isInstanceOf(StrategyException.class)
        .hasMessage("strategy 'sparsevlm': tau takes a value of type double, got 0.2");
    assertThatThrownBy(() -> type.of(Map.of("tau", 2.0)))
        .isInstanceOf(StrategyException.class)
        .hasMessageContaining("tau");
  }
}
