package dev.squint.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Observation;
import dev.squint.pruning.observe.Observations;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Stage;
import dev.squint.pruning.site.MergedToken;
import dev.squint.pruning.site.PositionPolicy;
import dev.squint.pruning.site.Selection;
import dev.squint.pruning.site.Site;
import dev.squint.pruning.site.SitePlan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The tower apart from its projector. */
class BeforeProjectorTest {

  private static final Expression EMBEDDINGS = Observe.hiddenStates(0);

  @RegisterExtension static final OpenTinyLlava TINY = new OpenTinyLlava();

  private record Seen(List<Observations> sites, Generation generation) {}

  private static Seen run(Site site, Selection selection, Expression... needs) {
    List<Observations> seen = new ArrayList<>();
    SitePlan first =
        new SitePlan(
            site,
            Set.of(needs),
            PositionPolicy.COMPACTED,
            !selection.merged().isEmpty(),
            (context, observations) -> {
              seen.add(observations);
              return selection;
            });
    SitePlan watching =
        new SitePlan(
            new Site.BeforeLayer(1),
            Set.of(EMBEDDINGS),
            PositionPolicy.COMPACTED,
            (context, observations) -> {
              seen.add(observations);
              return Selection.all(context.visualTokens());
            });
    Generation generation =
        TINY.model()
            .generate(
                TinyLlava.prompt(),
                new TestStrategy("merging", List.of(first, watching)),
                GenerationOptions.builder()
                    .maxNewTokens(4)
                    .measureSpeedup(true)
                    .keepFirstLogits(true)
                    .build());
    return new Seen(seen, generation);
  }

  @Test
  void droppingThereIsDroppingAfterVision() {
    Selection some = Selection.of(new int[] {0, 3, 4, 9, 15});
    Seen before = run(new Site.BeforeProjector(), some);
    Seen after = run(new Site.AfterVision(), some);
    assertThat(embeddings(before)).containsExactly(embeddings(after), offset(1e-6f));
    assertThat(before.generation.firstLogits())
        .containsExactly(after.generation.firstLogits(), offset(1e-5f));
    assertThat(before.generation.tokens()).containsExactly(after.generation.tokens());
    assertThat(before.generation.trace().visionFlops())
        .isLessThan(after.generation.trace().visionFlops());
    assertThat(before.generation.trace().sites().get(0).keptOriginal())
        .containsExactly(0, 3, 4, 9, 15);
  }

  @Test
  void keepingAllIsTheModelItself() {
    Seen all = run(new Site.BeforeProjector(), Selection.all(TinyLlava.VISUAL));
    Generation plain =
        TINY.model()
            .generate(
                TinyLlava.prompt(),
                TestStrategy.none(),
                GenerationOptions.builder().maxNewTokens(4).keepFirstLogits(true).build());
    assertThat(all.generation.firstLogits()).containsExactly(plain.firstLogits(), offset(1e-5f));
  }

  /** The projector is not linear: the mean of features is not the feature of the mean. */
  @Test
  void mergingThereIsNotMergingAfterVision() {
    Selection merged =
        Selection.of(new int[] {2, 8}).withMerged(List.of(MergedToken.mean(8, 8, 11)));
    float[] before = embeddings(run(new Site.BeforeProjector(), merged));
    float[] after = embeddings(run(new Site.AfterVision(), merged));
    float[] alone =
        embeddings(
            run(
                new Site.BeforeProjector(),
                Selection.of(new int[] {2, 8}).withMerged(List.of(MergedToken.mean(8, 8)))));
    int width = before.length / 2;
    for (int i = 0; i < width; i++) {
      assertThat(before[i]).isEqualTo(after[i], offset(1e-6f));
    }
    assertThat(before).isNotEqualTo(after).isNotEqualTo(alone);
  }

  @Test
  void similaritiesAreCosines() {
    Expression features = Observe.featureSimilarity(Stage.BEFORE_PROJECTOR);
    Expression mean = Observe.keySimilarity(1, Heads.AVERAGED);
    Expression joined = Observe.keySimilarity(1, Heads.EACH);
    Observations seen =
        run(new Site.BeforeProjector(), Selection.all(TinyLlava.VISUAL), features, mean, joined)
            .sites()
            .get(0);
    for (Expression need : List.of(features, mean, joined)) {
      Observation cosines = seen.get(need);
      assertThat(cosines.rows()).isEqualTo(TinyLlava.VISUAL);
      assertThat(cosines.columns()).isEqualTo(TinyLlava.VISUAL);
      for (int i = 0; i < TinyLlava.VISUAL; i++) {
        assertThat(cosines.at(i, i)).isEqualTo(1, offset(1e-5f));
        for (int j = 0; j < i; j++) {
          assertThat(cosines.at(i, j)).isEqualTo(cosines.at(j, i), offset(1e-5f));
          assertThat(cosines.at(i, j)).isBetween(-1.00001f, 0.99999f);
        }
      }
    }
    assertThat(seen.get(mean)).isNotEqualTo(seen.get(joined));
  }

  /** After the projector, tokens that it never saw are compared with no others. */
  @Test
  void tokensDroppedBeforeAreNotComparedAfterVision() {
    int[] kept = {0, 3, 4, 9, 15};
    assertComparedAs(kept, Selection.of(kept));
  }

  /** One token leaves and comes back after the others, so that as many are there as ever. */
  @Test
  void tokensInAnotherOrderAreComparedInIt() {
    int[] order = {0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 3};
    int[] others = Arrays.copyOf(order, order.length - 1);
    assertComparedAs(order, Selection.of(others).withMerged(List.of(MergedToken.mean(3, 3))));
  }

  private static void assertComparedAs(int[] kept, Selection selection) {
    Expression keys = Observe.keySimilarity(1, Heads.EACH);
    Expression features = Observe.featureSimilarity(Stage.PROJECTED);
    Expression patches = Observe.featureSimilarity(Stage.BEFORE_PROJECTOR);
    Set<Expression> needs = Set.of(keys, features, patches);
    List<Observations> seen = new ArrayList<>();
    for (Selection first : List.of(Selection.all(TinyLlava.VISUAL), selection)) {
      List<SitePlan> sites =
          List.of(
              new SitePlan(
                  new Site.BeforeProjector(),
                  Set.of(),
                  PositionPolicy.COMPACTED,
                  !first.merged().isEmpty(),
                  (context, observations) -> first),
              new SitePlan(
                  new Site.AfterVision(),
                  needs,
                  PositionPolicy.COMPACTED,
                  (context, observations) -> {
                    seen.add(observations);
                    return Selection.all(context.visualTokens());
                  }));
      TINY.model()
          .generate(
              TinyLlava.prompt(),
              new TestStrategy("twice", sites),
              GenerationOptions.builder().maxNewTokens(1).build());
    }
    for (Expression need : needs) {
      Observation whole = seen.get(0).get(need);
      Observation some = seen.get(1).get(need);
      assertThat(some.rows()).isEqualTo(kept.length);
      assertThat(some.columns()).isEqualTo(kept.length);
      for (int i = 0; i < kept.length; i++) {
        for (int j = 0; j < kept.length; j++) {
          assertThat(some.at(i, j)).isEqualTo(whole.at(kept[i], kept[j]), offset(1e-5f));
        }
      }
    }
  }

  private static float[] embeddings(Seen seen) {
    return seen.sites.get(1).get(EMBEDDINGS).values();
  }
}
