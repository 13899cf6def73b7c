package dev.squint.pruning.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.StrategyException;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Expressions have the shapes that are documented, a text each, and a sentence for each misuse. */
class ExpressionTest {

  private static final Place LAYER = Place.decoder(3);

  private static void refused(Supplier<?> made, String... parts) {
    assertThatThrownBy(made::get)
        .isInstanceOf(StrategyException.class)
        .hasMessageContainingAll(parts);
  }

  static List<Expression> builtIns() {
    return List.of(
        Observe.clsAttention(22),
        Observe.attentionReceived(22),
        Observe.textToVisualAttention(1, Rows.LAST, Heads.EACH),
        Observe.hiddenStates(2, Rows.VISUAL, true),
        Observe.keys(1),
        Observe.featureSimilarity(Stage.PROJECTED),
        Observe.keySimilarity(4, Heads.AVERAGED),
        Observe.embeddingSimilarity(Measure.COSINE),
        Observe.coreNeurons(5, 0.4, 0.2));
  }

  @ParameterizedTest
  @MethodSource("builtIns")
  void theTextOfAnExpressionMakesItAgain(Expression expression) {
    assertThat(expression.toString()).isNotEqualTo(expression.canonical());
    Expression read = Expression.parse(expression.canonical());
    assertThat(read).isEqualTo(expression.unnamed());
    assertThat(Expression.parse(expression.canonical().replace(",", " , "))).isEqualTo(read);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "[CLS] attention of vision layer 22; 0",
        "attention received in vision layer 22; 1",
        "text-to-visual attention of decoder layer 1 (LAST, heads EACH); 2",
        "normed hidden states into decoder layer 2 (VISUAL); 3",
        "keys of decoder layer 1 (VISUAL); 4",
        "similarity of PROJECTED features; 5",
        "similarity of keys in vision layer 4 (heads AVERAGED); 6",
        "COSINE of text and visual embeddings; 7",
        "core neurons of decoder layer 5 (rho 0.4, beta 0.2); 8"
      })
  void namesAreForPeople(String name, int which) {
    assertThat(builtIns().get(which)).hasToString(name);
  }

  @Test
  void axesFollowFromTheOperators() {
    Expression probabilities = LAYER.probabilities(Rows.LAST);
    assertThat(probabilities.axes()).hasToString("[heads, queries:last, tokens:all]");
    assertThat(probabilities.choose(Rows.VISUAL).mean(Axis.Kind.HEADS, Axis.Kind.QUERIES).axes())
        .hasToString("[tokens:visual]");
    assertThat(LAYER.v(Rows.VISUAL).joinHeads().axes())
        .hasToString("[tokens:visual, joined-kv-heads]");
    assertThat(LAYER.q(Rows.LAST).dot(LAYER.k(Rows.VISUAL)).axes())
        .hasToString("[heads, tokens:last, tokens:visual]");
    assertThat(Observe.featureSimilarity(Stage.PROJECTED).pairsVisual()).isTrue();
    assertThat(Observe.keys(1).pairsVisual()).isFalse();
  }

  @Test
  void misuseIsSaidInASentence() {
    Expression hidden = LAYER.hidden(Rows.VISUAL);
    refused(() -> Place.decoder(-1), "layers count from 0");
    refused(() -> LAYER.hidden(Rows.CLS), "a decoder layer has no rows 'cls'", "visual");
    refused(() -> Place.vision(1).normed(Rows.VISUAL), "no tensor 'normed'", "hidden");
    refused(() -> hidden.mean(Axis.Kind.HEADS), "no axis 'heads'", "hidden");
    refused(
        () -> hidden.dot(hidden).mean(Axis.Kind.TOKENS), "more than one axis 'tokens'", "place");
    refused(() -> hidden.matmul(hidden), "'matmul' takes matrices", "transpose");
    refused(() -> hidden.plus(LAYER.v(Rows.VISUAL)), "'add' takes tensors of which one has");
    refused(() -> hidden.choose(Rows.LAST), "choose them once");
    refused(() -> LAYER.hidden(Rows.ALL).choose(Rows.ALL), "all tokens are there already");
    refused(() -> hidden.joinHeads(), "[heads, tokens, head-width]");
    refused(() -> hidden.reduce(Reduce.Function.SUM, 2), "no axis 2");
    refused(() -> hidden.top(0, TopMask.Ties.ALL), "above 0 and at most 1");
    refused(
        () -> hidden.dot(Place.embeds(Rows.VISUAL)),
        "looks at one part of the network",
        "decoder.3.hidden[visual] lies in the decoder's layers",
        "input.embeds[visual] in the decoder's input");
    refused(() -> new Constant(1).part(), "looks at no tensor");
    refused(() -> Observe.coreNeurons(1, 0, 0.5), "rho=0.0");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "mood(decoder.1.k[visual])",
        "decoder.1.k",
        "decoder.k[visual]",
        "input.1.embeds[visual]",
        "decoder.1.k[visual] 2",
        "norm(decoder.1.k[visual],head-width",
        "norm(decoder.1.k[visual],ears)",
        "norm(decoder.1.k[visual],7)",
        "decoder.1.k[cls]",
        "decoder.1.soul[visual]",
        "top(decoder.1.mlp[all],much,all)",
        "matmul(decoder.1.k[visual])"
      })
  void whatIsNoExpressionIsRefused(String text) {
    assertThatThrownBy(() -> Expression.parse(text)).isInstanceOf(StrategyException.class);
  }

  @Test
  void deepNestingIsRefused() {
    refused(() -> Expression.parse("abs(".repeat(1000)), "100 operators");
  }
}
