package dev.squint.pruning.strategies.cache;

import dev.squint.error.StrategyException;
import dev.squint.pruning.DescribedStrategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.cache.KvCachePlan;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Parameter;
import java.util.List;
import java.util.Optional;

/**
 * Quantised KV cache: keys and values rest as 8, 4 or 2 bits per number, with more bits for salient
 * tokens (Su et al., "AKVQ-VL: Attention-Aware KV Cache Adaptive 2-Bit Quantization for
 * Vision-Language Models", 2025; He et al., "ZipVL: Efficient Large Vision-Language Models with
 * Dynamic Token Sparsification", 2024). No token is dropped.
 *
 * <p>As in AKVQ-VL the text is salient in the first layers, and the pivots of attention in the
 * others, and a Walsh-Hadamard rotation may go before rounding. As in ZipVL the attention a token
 * gets is divided by the number of asking tokens that can see it. Neither paper's code was read;
 * open there and ours are: the asking tokens are the last of the prompt, the share of salient
 * tokens is the same in all layers, generated tokens keep the high width for good. With the default
 * share of 1 every token takes {@code bits}.
 *
 * @param bits bits of the salient tokens: 8, 4 or 2
 * @param low bits of the others, at most {@code bits}
 * @param salient share of the prompt's tokens that is salient; 1 makes all of them alike
 * @param text how many first layers hold the text for salient, where not all tokens are alike
 * @param window how many last prompt tokens are asked what they attend to
 * @param rotate whether keys and values are rotated before rounding, which costs two matrix
 *     products of the head's width per cached token and step
 */
public record KvQuant(int bits, int low, double salient, int text, int window, boolean rotate)
    implements DescribedStrategy {

  private static final String NO = "none";
  private static final String HADAMARD = "hadamard";
  private static final Type TYPE = new Type();

  public KvQuant {
    TYPE.check(bits, low, salient, text, window, rotate);
    if (low > bits) {
      throw new StrategyException(
          "strategy '%s': low=%d is more than bits=%d; give the salient tokens at least as many bits"
              .formatted(TYPE.name(), low, bits));
    }
  }

  @Override
  public Type type() {
    return TYPE;
  }

  @Override
  public List<SitePlan> plan(ModelShape model) {
    return List.of();
  }

  @Override
  public Optional<KvCachePlan> cache(ModelShape model) {
    int width = model.decoder().headDim();
    if (width % (Byte.SIZE / Math.min(bits, low)) != 0) {
      throw new StrategyException(
          "strategy '%s': heads of width %d do not fill bytes of %d-bit numbers; choose 8 bits"
              .formatted(TYPE.name(), width, Math.min(bits, low)));
    }
    if (rotate && Integer.bitCount(width) != 1) {
      throw new StrategyException(
          "strategy '%s': rotate=%s needs heads whose width is a power of two, but it is %d; choose rotate=%s"
              .formatted(TYPE.name(), HADAMARD, width, NO));
    }
    return Optional.of(new KvCachePlan.Quantised(bits, low, salient, text, window, rotate));
  }

  /** The descriptor of {@link KvQuant}, for the service loader. */
  public static final class Type extends StrategyType<KvQuant> {

    public Type() {
      super(
          KvQuant.class,
          "kv-quant",
          "keeps keys and values in the cache as 8, 4 or 2 bits, more for salient tokens",
          "Su et al., AKVQ-VL, 2025; He et al., ZipVL, 2024",
          Parameter.choice("bits", List.of(8, 4, 2), "bits of a salient token's numbers"),
          Parameter.choice("low", List.of(2, 4, 8), "bits of the other tokens' numbers"),
          Parameter.ratio("salient", 1.0, "share of the prompt's tokens that is salient"),
          Parameter.whole("text", 2, 0, "first layers in which the text is salient"),
          Parameter.whole("window", 32, 1, "last prompt tokens whose attention counts"),
          Parameter.choice("rotate", List.of(NO, HADAMARD), "rotation before rounding")
              .mapped(HADAMARD::equals, on -> on ? HADAMARD : NO));
    }
  }
}
