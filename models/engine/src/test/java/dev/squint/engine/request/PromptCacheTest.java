package dev.squint.engine.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.squint.engine.OpenTinyLlava;
import dev.squint.engine.TestStrategy;
import dev.squint.engine.TinyLlava;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.request.GenerationRequest.CacheReuse;
import dev.squint.error.ModelException;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.layout.TokenLayout;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.trace.SiteTrace;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("runtime")
class PromptCacheTest {

  private static final float CLOSE = 1e-4f;
  private static final ModelInput FIRST = TinyLlava.prompt();
  private static final long[] QUESTION = {9, 11, 13, 17, 19};

  @RegisterExtension static final OpenTinyLlava TINY = new OpenTinyLlava();

  private static Generation ask(ModelInput prompt, Strategy strategy) {
    return TINY.model().generate(prompt, strategy, TinyLlava.sixTokens());
  }

  private static Generation ask(
      ModelInput prompt, Strategy strategy, PromptCache cache, CacheReuse reuse) {
    return TINY.model()
        .generate(
            GenerationRequest.builder(prompt)
                .strategy(strategy)
                .options(TinyLlava.sixTokens())
                .cache(cache, reuse)
                .build());
  }

  private static Generation ask(ModelInput prompt, Strategy strategy, PromptCache cache) {
    return ask(prompt, strategy, cache, CacheReuse.KEEP_SELECTION);
  }

  /** The first prompt, over the same image, with tokens after it. */
  private static ModelInput then(long[]... parts) {
    long[] ids =
        LongStream.concat(
                Arrays.stream(FIRST.tokenIds()), Arrays.stream(parts).flatMapToLong(Arrays::stream))
            .toArray();
    return new ModelInput(
        ids, new TokenLayout(ids.length, FIRST.layout().visual()), FIRST.images());
  }

  /** Keeps at each site what was kept there before, whatever is asked. */
  private static Strategy keeping(Strategy strategy, List<SiteTrace> sites) {
    List<SitePlan> plans = strategy.plan(TINY.model().facts());
    return new TestStrategy(
        "keeping",
        sites.stream()
            .map(
                site -> {
                  PositionPolicy positions =
                      plans.stream()
                          .filter(plan -> plan.site().equals(site.site()))
                          .findFirst()
                          .orElseThrow()
                          .positions();
                  return new SitePlan(
                      site.site(),
                      Set.of(),
                      positions,
                      (context, observations) ->
                          new Selection(
                              Arrays.stream(site.keptOriginal())
                                  .map(
                                      original ->
                                          Arrays.binarySearch(context.liveOriginals(), original))
                                  .toArray(),
                              new float[0]));
                })
            .toList());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "none",
        "fastervlm:keep=0.5",
        "fastv:k=2,keep=0.5",
        "pyramiddrop:layers=1/2/3,keep=0.5",
        "fastervlm:keep=0.5+fastv:k=2,keep=0.5"
      })
  void theSecondTurnIsThatOfAFreshRequestThatKeepsTheSame(String spec) {
    Strategy strategy = Strategies.parse(spec);
    try (PromptCache cache = TINY.model().newCache()) {
      Generation first = ask(FIRST, strategy, cache);
      assertThat(first.tokens()).isEqualTo(ask(FIRST, strategy).tokens());
      int unfed = first.finish() == FinishReason.LENGTH ? 1 : 0;
      int ran = FIRST.layout().length() + first.tokens().length - unfed;
      assertThat(cache.tokens()).isEqualTo(ran);
      assertThat(cache.bytes()).isPositive();

      ModelInput history = then(first.tokens(), QUESTION);
      Generation second = ask(history, strategy, cache);
      Generation fresh = ask(history, keeping(strategy, first.trace().sites()));

      assertThat(second.trace().reusedTokens()).isEqualTo(ran);
      assertThat(second.firstLogits()).containsExactly(fresh.firstLogits(), offset(CLOSE));
      assertThat(second.tokens()).isEqualTo(fresh.tokens());
      assertThat(second.trace().tokensPerLayer()).isEqualTo(fresh.trace().tokensPerLayer());
      assertThat(second.trace().kvBytes()).isEqualTo(fresh.trace().kvBytes());
      assertThat(second.trace().sites()).isEqualTo(first.trace().sites());
      assertThat(second.trace().prefillFlops()).isLessThan(fresh.trace().prefillFlops());
    }
  }

  @Test
  void whatDiffersFromTheKeptTokensRunsAnew() {
    Strategy strategy = Strategies.parse("fastv:k=2,keep=0.5");
    try (PromptCache cache = TINY.model().newCache()) {
      Generation first = ask(FIRST, strategy, cache);
      ModelInput other = then(new long[] {first.tokens()[0], 23}, QUESTION);
      Generation second = ask(other, strategy, cache);
      Generation fresh = ask(other, keeping(strategy, first.trace().sites()));
      assertThat(second.trace().reusedTokens()).isEqualTo(FIRST.layout().length() + 1);
      assertThat(second.firstLogits()).containsExactly(fresh.firstLogits(), offset(CLOSE));
    }
  }

  @Test
  void theSamePromptAgainRunsItsLastTokenOnly() {
    try (PromptCache cache = TINY.model().newCache()) {
      Generation first = ask(FIRST, TestStrategy.none(), cache);
      Generation again = ask(FIRST, TestStrategy.none(), cache);
      assertThat(again.trace().reusedTokens()).isEqualTo(FIRST.layout().length() - 1);
      assertThat(again.firstLogits()).containsExactly(first.firstLogits(), offset(CLOSE));
      assertThat(again.tokens()).isEqualTo(first.tokens());
    }
  }

  @Test
  void selectingAnewRunsWholeWhereTheQuestionHasASay() {
    try (PromptCache cache = TINY.model().newCache()) {
      for (String spec : List.of("fastv:k=2,keep=0.5", "fastervlm:keep=0.5")) {
        Strategy strategy = Strategies.parse(spec);
        Generation first = ask(FIRST, strategy, cache, CacheReuse.SELECT_ANEW);
        ModelInput history = then(first.tokens(), QUESTION);
        Generation second = ask(history, strategy, cache, CacheReuse.SELECT_ANEW);
        Generation fresh = ask(history, strategy);
        assertThat(second.trace().reusedTokens() > 0).isEqualTo(spec.startsWith("fastervlm"));
        assertThat(second.firstLogits()).containsExactly(fresh.firstLogits(), offset(CLOSE));
        cache.clear();
      }
    }
  }

  @Test
  void anotherImageOrStrategyRunsWhole() {
    try (PromptCache cache = TINY.model().newCache()) {
      Generation first = ask(FIRST, TestStrategy.none(), cache);
      ModelInput other = TinyLlava.prompt();
      assertThat(ask(other, TestStrategy.none(), cache).trace().reusedTokens()).isZero();
      Strategy strategy = Strategies.parse("fastv:k=2,keep=0.5");
      Generation pruned = ask(other, strategy, cache);
      assertThat(pruned.trace().reusedTokens()).isZero();
      assertThat(pruned.firstLogits()).isEqualTo(ask(other, strategy).firstLogits());
      assertThat(first.trace().reusedTokens()).isZero();
    }
  }

  @Test
  void cachesThatAreStoredInAnotherFormAreNotKept() {
    try (PromptCache cache = TINY.model().newCache()) {
      ask(FIRST, Strategies.parse("kv-quant"), cache);
      assertThat(cache.tokens()).isZero();
      assertThat(cache.bytes()).isZero();
    }
  }

  @Test
  void forksGoTheirOwnWays() {
    try (PromptCache cache = TINY.model().newCache()) {
      long[] answer = ask(FIRST, TestStrategy.none(), cache).tokens();
      try (PromptCache fork = cache.fork()) {
        ModelInput one = then(answer, QUESTION);
        ModelInput two = then(answer, new long[] {29, 31});
        Generation ofFork = ask(two, TestStrategy.none(), fork);
        Generation ofCache = ask(one, TestStrategy.none(), cache);
        assertThat(ofFork.trace().reusedTokens()).isEqualTo(ofCache.trace().reusedTokens());
        assertThat(ofFork.firstLogits())
            .containsExactly(ask(two, TestStrategy.none()).firstLogits(), offset(CLOSE));
        assertThat(ofCache.firstLogits())
            .containsExactly(ask(one, TestStrategy.none()).firstLogits(), offset(CLOSE));
      }
    }
  }

  @Test
  @SuppressWarnings("try")
  void oneRequestUsesItAtATime() {
    try (PromptCache cache = TINY.model().newCache()) {
      GenerationRequest request =
          GenerationRequest.builder(FIRST)
              .options(TinyLlava.sixTokens())
              .cache(cache, CacheReuse.KEEP_SELECTION)
              .listener(
                  token -> {
                    assertThatThrownBy(() -> ask(FIRST, TestStrategy.none(), cache))
                        .isInstanceOf(ModelException.class)
                        .hasMessageStartingWith("the cache is in use by another request");
                    return false;
                  })
              .build();
      assertThat(TINY.model().generate(request).finish()).isEqualTo(FinishReason.STOP_STRING);
      cache.close();
      assertThatThrownBy(() -> ask(FIRST, TestStrategy.none(), cache))
          .hasMessage("the cache is closed; make another one");
    }
    PromptCache foreign =
        new PromptCache() {
          @Override
          public int tokens() {
            return 0;
          }

          @Override
          public long bytes() {
            return 0;
          }

          @Override
          public PromptCache fork() {
            return this;
          }

          @Override
          public void clear() {}

          @Override
          public void close() {}
        };
    assertThatThrownBy(() -> ask(FIRST, TestStrategy.none(), foreign))
        .hasMessage("the cache was not made by a model; make it with this one's newCache");
  }

  @Test
  void whatIsKeptGivesWayToRequests() {
    long request;
    try (PromptCache cache = TINY.model().newCache()) {
      ask(FIRST, TestStrategy.none(), cache);
      request = 7 * cache.bytes();
    }
    try (VisionLanguageModel small =
            VisionLanguageModel.open(
                TinyLlava.folder(), TinyLlava.options().toBuilder().memoryBudget(request).build());
        PromptCache first = small.newCache();
        PromptCache second = small.newCache()) {
      for (PromptCache cache : List.of(first, second, first, second)) {
        small.generate(
            GenerationRequest.builder(FIRST)
                .options(TinyLlava.sixTokens())
                .cache(cache, CacheReuse.KEEP_SELECTION)
                .build());
        assertThat(cache.tokens()).isPositive();
        assertThat(first.bytes() + second.bytes()).isLessThanOrEqualTo(request);
      }
      ModelInput other = TinyLlava.textPrompt(60);
      small.generate(other, TestStrategy.none(), TinyLlava.sixTokens());
      assertThat(Math.min(first.tokens(), second.tokens())).isZero();
    }
  }

  @Test
  void closingTheModelFreesWhatIsKept() {
    VisionLanguageModel model = TinyLlava.open();
    PromptCache cache = model.newCache();
    model.generate(
        GenerationRequest.builder(FIRST).cache(cache, CacheReuse.KEEP_SELECTION).build());
    assertThat(model.openTensors()).isPositive();
    model.close();
    assertThat(model.openTensors()).isZero();
    assertThat(cache.tokens()).isZero();
    assertThatThrownBy(model::newCache).hasMessage("the model is closed; load it again");
  }
}
