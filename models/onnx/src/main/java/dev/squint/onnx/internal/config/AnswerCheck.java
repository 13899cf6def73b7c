package dev.squint.onnx.internal.config;

import dev.squint.error.ModelException;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.DecoderPair;
import dev.squint.onnx.internal.io.ModelJson;
import dev.squint.onnx.internal.io.Printable;
import java.util.Set;

/**
 * Whether graphs that can be read can also answer questions: whether what they take is what is
 * known here, before anything runs. Segments take nothing else but what they were given when they
 * were cut.
 */
public final class AnswerCheck {

  private static final Set<String> KNOWN =
      Set.of(
          DecoderGraph.EMBEDS,
          DecoderGraph.MASK,
          DecoderGraph.POSITIONS,
          DecoderGraph.TOKEN_TYPES,
          DecoderGraph.LOGITS_TO_KEEP);

  /** Types whose config says which features of the tower the projector gets. */
  static final Set<String> CHOOSING = Set.of("llava", "llava_next", "llava_onevision");

  private static final String ONEVISION = "llava_onevision";

  /** Towers of these types have no [CLS]. */
  private static final Set<String> WITHOUT_CLS =
      Set.of("siglip_vision_model", "aimv2_vision_model");

  private AnswerCheck() {}

  /**
   * Checks what the decoder takes.
   *
   * @throws ModelException if it cannot be given that
   */
  public static void inputs(DecoderGraph decoder) {
    if (decoder.tokensAtOnce() > 0) {
      throw new ModelException(
          "%s takes exactly %d tokens at once; export the decoder with an open sequence length%s"
              .formatted(
                  decoder.file(),
                  decoder.tokensAtOnce(),
                  DecoderPair.promptName(String.valueOf(decoder.file().getFileName()))
                      .map(", or put the %s of the same export beside it"::formatted)
                      .orElse("")));
    }
    decoder.steps().ifPresent(AnswerCheck::known);
    known(decoder);
  }

  private static void known(DecoderGraph decoder) {
    for (String input : decoder.inputs()) {
      if (!KNOWN.contains(input)
          && !input.startsWith(DecoderGraph.PAST)
          && !decoder.deepStack().names().contains(input)) {
        throw new ModelException(
            "the decoder has an input '%s' that Squint does not know how to fill; export it without"
                .formatted(Printable.of(input)));
      }
    }
  }

  /**
   * Checks that a LLaVA returns the features that its config chooses; with others it would answer
   * otherwise than the model that was exported.
   *
   * @param config its {@code config.json}
   * @param hasCls whether [CLS] was found in the tower's graph
   * @param patches patches of an image
   * @param tokens visual tokens of an image
   */
  public static void features(ModelJson config, boolean hasCls, int patches, int tokens) {
    String model = config.text("model_type").orElse("unknown");
    if (!CHOOSING.contains(model)) {
      return;
    }
    boolean onevision = model.equals(ONEVISION);
    String strategy =
        config.text("vision_feature_select_strategy").orElse(onevision ? "full" : "default");
    String type =
        config
            .section("vision_config")
            .text("model_type")
            .orElse(onevision ? "siglip_vision_model" : "clip_vision_model");
    boolean cls = hasCls || !WITHOUT_CLS.contains(type);
    int all = cls ? patches + 1 : patches;
    int chosen = strategy.equals("full") ? all : all - 1;
    if (Math.abs(tokens - chosen) == 1) {
      throw new ModelException(
          "%s: with 'vision_feature_select_strategy' %s an image becomes %d visual tokens, but the vision encoder gives %d; use the config that it was exported with"
              .formatted(config.file(), strategy, chosen, tokens));
    }
  }
}
