package dev.squint.pruning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.StrategyException;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Parameter;
import dev.squint.pruning.strategies.baseline.None;
import dev.squint.pruning.strategies.baseline.Random;
import dev.squint.pruning.strategies.baseline.UniformGrid;
import dev.squint.pruning.strategies.decoder.FastV;
import dev.squint.pruning.strategies.vision.FasterVLM;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class StrategiesTest {

  @Test
  void defaultsAreFilledIn() {
    assertThat(Strategies.parse("none")).isEqualTo(new None());
    assertThat(Strategies.parse("fastv")).isEqualTo(new FastV(2, 0.5));
    assertThat(Strategies.parse("fastervlm")).isEqualTo(new FasterVLM(0.5));
    assertThat(Strategies.parse("uniform")).isEqualTo(new UniformGrid(0.5));
    assertThat(Strategies.parse("random"))
        .isEqualTo(new Random(0.5, OptionalLong.empty(), new Site.AfterVision()));
  }

  @Test
  void parametersComeInAnyOrderAndWithSpaces() {
    assertThat(Strategies.parse(" fastv : keep = 0.25 , k = 3 ")).isEqualTo(new FastV(3, 0.25));
    assertThat(Strategies.parse("fastv:keep=1e-1")).isEqualTo(new FastV(2, 0.1));
    assertThat(Strategies.parse("fastv:keep=1.e+0")).isEqualTo(new FastV(2, 1));
    assertThat(Strategies.parse("random:at=4,seed=-7,keep=.5"))
        .isEqualTo(new Random(0.5, OptionalLong.of(-7), new Site.BeforeLayer(4)));
  }

  @Test
  void canonicalSpecs() {
    assertThat(Strategies.parse("none").spec()).isEqualTo("none");
    assertThat(Strategies.parse("fastv").spec()).isEqualTo("fastv:k=2,keep=0.5");
    assertThat(Strategies.parse("fastervlm:keep=0.25").spec()).isEqualTo("fastervlm:keep=0.25");
    assertThat(Strategies.parse("random").spec()).isEqualTo("random:keep=0.5,at=vision");
    assertThat(Strategies.parse("random:seed=1,at=2").spec())
        .isEqualTo("random:keep=0.5,seed=1,at=2");
  }

  @Property
  void specParsesBackToAnEqualStrategy(@ForAll("strategies") Strategy strategy) {
    Strategy again = Strategies.parse(strategy.spec());
    assertThat(again).isEqualTo(strategy);
    assertThat(again.spec()).isEqualTo(strategy.spec());
    assertThat(strategy.spec()).startsWith(strategy.name());
  }

  @Provide
  Arbitrary<Strategy> strategies() {
    Arbitrary<Double> keep = Arbitraries.doubles().greaterThan(0).lessOrEqual(1).ofScale(12);
    Arbitrary<Integer> layer = Arbitraries.integers().greaterOrEqual(1);
    Arbitrary<Site> site =
        Arbitraries.oneOf(
            layer.map(Site.BeforeLayer::new), Arbitraries.just(new Site.AfterVision()));
    Arbitrary<OptionalLong> seed =
        Arbitraries.oneOf(
            Arbitraries.just(OptionalLong.empty()), Arbitraries.longs().map(OptionalLong::of));
    return Arbitraries.oneOf(
        Arbitraries.just(new None()),
        Combinators.combine(layer, keep).as(FastV::new),
        keep.map(FasterVLM::new),
        keep.map(UniformGrid::new),
        Combinators.combine(keep, seed, site).as(Random::new));
  }

  @Test
  void joinedByPlus() {
    Strategy both = Strategies.parse("fastv:k=3,keep=0.25 + fastervlm:tokens=64,per=image");
    assertThat(both.spec()).isEqualTo("fastv:k=3,keep=0.25 + fastervlm:tokens=64,per=image");
    assertThat(Strategies.parse(both.spec())).isEqualTo(both);
    assertThat(both.plan(TestModels.llava()))
        .extracting(SitePlan::site)
        .containsExactly(new Site.AfterVision(), new Site.BeforeLayer(3));
    assertThatThrownBy(() -> Strategies.parse("fastervlm+uniform").plan(TestModels.llava()))
        .hasMessage(
            "strategy 'fastervlm:keep=0.5 + uniform:keep=0.5': two of its parts act at after-vision; give each a site of its own");
  }

  @Test
  void everyProviderDescribesItself() {
    assertThat(Strategies.available())
        .extracting(StrategyType::name)
        .contains("fastervlm", "fastv", "none", "random", "uniform")
        .isSorted();
    for (StrategyType<?> provider : Strategies.available()) {
      assertThat(provider.name()).matches("[a-z0-9-]+");
      assertThat(provider.summary()).isNotBlank().doesNotEndWith(".");
      assertThat(provider.paper()).isNotBlank();
      for (Parameter<?> parameter : provider.parameters()) {
        assertThat(parameter.name()).matches("[a-z]+");
        assertThat(parameter.summary()).isNotBlank();
        assertThat(parameter.range()).isNotBlank();
        parameter
            .defaultValue()
            .ifPresent(
                text ->
                    assertThat(
                            Strategies.parse(provider.name() + ":" + parameter.name() + "=" + text))
                        .isEqualTo(Strategies.parse(provider.name())));
      }
    }
  }

  @ParameterizedTest
  @NullSource
  @ValueSource(strings = {"", "  "})
  void emptySpec(String spec) {
    assertRefused(spec, "the strategy is empty; choose one of {names}");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          fatsv | unknown strategy 'fatsv'; did you mean 'fastv'? Or choose one of {names}
          FastV:k=2 | unknown strategy 'FastV'; did you mean 'fastv'? Or choose one of {names}
          zebra | unknown strategy 'zebra'; choose one of {names}
          :keep=0.5 | unknown strategy ''; choose one of {names}
          fastv:kep=0.5 | strategy 'fastv': unknown parameter 'kep'; did you mean 'keep'? It takes k, keep, tokens, per
          fastv:r=0.5 | strategy 'fastv': unknown parameter 'r'; it takes k, keep, tokens, per
          none:keep=0.5 | strategy 'none': unknown parameter 'keep'; it takes none
          fastv:k=2,keep=0.5,k=3 | strategy 'fastv': parameter 'k' is given twice; give it once
          fastv: | strategy 'fastv': nothing follows the ':'; leave it out, or give key=value
          fastv:k=2,,keep=0.5 | strategy 'fastv': a ',' stands without a parameter next to it; take it out
          fastv:k=2, | strategy 'fastv': a ',' stands without a parameter next to it; take it out
          fastv:keep | strategy 'fastv': parameter 'keep' has no value; write keep=value
          fastv:keep= | strategy 'fastv': parameter 'keep' has no value; write keep=value
          fastv:keep=half | strategy 'fastv': keep=half is not a number; choose a retention ratio above 0 and at most 1
          fastv:keep=0.5f | strategy 'fastv': keep=0.5f is not a number; choose a retention ratio above 0 and at most 1
          fastv:keep=50% | strategy 'fastv': keep=50% is not a number; choose a retention ratio above 0 and at most 1
          fastv:keep=1.5 | strategy 'fastv': keep=1.5 is out of range; choose a retention ratio above 0 and at most 1
          fastv:keep=0 | strategy 'fastv': keep=0 is out of range; choose a retention ratio above 0 and at most 1
          fastv:keep=NaN | strategy 'fastv': keep=NaN is out of range; choose a retention ratio above 0 and at most 1
          fastervlm:keep=-0.1 | strategy 'fastervlm': keep=-0.1 is out of range; choose a retention ratio above 0 and at most 1
          fastv:k=two | strategy 'fastv': k=two is not a whole number; choose a whole number of at least 1
          fastv:k=2.5 | strategy 'fastv': k=2.5 is not a whole number; choose a whole number of at least 1
          fastv:k=0 | strategy 'fastv': k=0 is out of range; choose a whole number of at least 1
          fastv:k=99999999999 | strategy 'fastv': k=99999999999 is out of range; choose a whole number of at least 1
          random:seed=x | strategy 'random': seed=x is not a whole number; choose a whole number from -9223372036854775808 to 9223372036854775807
          random:at=text | strategy 'random': at=text is not a site; choose vision, or a decoder layer of at least 1
          random:at=0 | strategy 'random': at=0 is out of range; choose vision, or a decoder layer of at least 1
          random:at=99999999999 | strategy 'random': at=99999999999 is out of range; choose vision, or a decoder layer of at least 1
          fastv + | unknown strategy 'fastv +'; did you mean 'fastv'? Or choose one of {names}
          fastervlm + fastw:k=2 | unknown strategy 'fastw'; did you mean 'fastv'? Or choose one of {names}
          fastv:tokens=0 | strategy 'fastv': tokens=0 is out of range; choose a whole number of at least 1
          fastv:per=imag | strategy 'fastv': per=imag is not known; did you mean 'image'? Or choose one of request, image, tile, frame
          """)
  void oneSentencePerMistake(String spec, String sentence) {
    assertRefused(spec, sentence);
  }

  @Test
  void constructorsSayTheSame() {
    assertThatThrownBy(() -> new FastV(2, 1.5))
        .isInstanceOf(StrategyException.class)
        .hasMessage(
            "strategy 'fastv': keep=1.5 is out of range; choose a retention ratio above 0 and at most 1");
    assertThatThrownBy(() -> new FastV(0, 0.5))
        .isInstanceOf(StrategyException.class)
        .hasMessage("strategy 'fastv': k=0 is out of range; choose a whole number of at least 1");
  }

  @Test
  void worksWithoutAContextClassLoader() throws InterruptedException {
    Strategy[] parsed = new Strategy[1];
    Thread thread = new Thread(() -> parsed[0] = Strategies.parse("fastv"));
    thread.setContextClassLoader(null);
    thread.start();
    thread.join();
    assertThat(parsed[0]).isEqualTo(new FastV(2, 0.5));
  }

  private static void assertRefused(String spec, String sentence) {
    assertThatThrownBy(() -> Strategies.parse(spec))
        .isInstanceOf(StrategyException.class)
        .hasMessage(sentence.replace("{names}", names()));
  }

  private static String names() {
    return Strategies.available().stream()
        .map(StrategyType::name)
        .collect(Collectors.joining(", "));
  }
}
