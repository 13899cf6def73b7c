package dev.squint.engine.internal.kv;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.KvCacheNames;
import dev.squint.pruning.cache.KvCachePlan;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Keys and values of which some take part in each step, and others, parked, in each so many-th. A
 * row of a layer's cache is known by the place of its token among all that ever were in it; rows
 * are always in that order.
 */
final class TieredKvCache implements KvCache {

  private final SplitDecoder.Segment segment;
  private final KvCachePlan.Split plan;
  private TensorScope activeOwner;
  private TensorScope parkedOwner;
  private Map<String, OnnxTensor> active = new HashMap<>();
  private Map<String, OnnxTensor> parked = new HashMap<>();
  private final int[][] activeTokens;
  private final int[][] parkedTokens;
  private boolean[] visual = {};
  private boolean prefillDone;
  private int ordinary;
  private int tokens;
  private int seen;
  private final float[][] attention;

  TieredKvCache(
      SplitDecoder.Segment segment,
      ModelConfig.Text sizes,
      TensorScope owner,
      KvCachePlan.Split plan) {
    this.segment = segment;
    this.plan = plan;
    this.activeOwner = owner;
    this.parkedOwner = owner.newScope();
    int layers = segment.spec().to() - segment.spec().from();
    this.activeTokens = new int[layers][0];
    this.parkedTokens = new int[layers][0];
    this.attention = new float[layers][];
    try {
      for (int layer = 0; layer < layers; layer++) {
        for (String past : names(layer)) {
          active.put(past, PlainKvCache.empty(segment.session(), sizes, owner, past));
        }
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private List<String> names(int layer) {
    int at = segment.spec().from() + layer;
    return List.of(DecoderGraph.past(at, true), DecoderGraph.past(at, false));
  }

  private String attentionOf(int layer) {
    return KvCacheNames.attention(segment.spec().from() + layer);
  }

  private int parkedCount() {
    return parkedTokens[0].length;
  }

  /** Whether the next run sees what is parked. */
  private boolean refreshes() {
    return prefillDone && parkedCount() > 0 && ordinary == plan.every() - 1;
  }

  @Override
  public int tokens() {
    return activeTokens[0].length + (refreshes() ? parkedCount() : 0);
  }

  @Override
  public int seen() {
    return seen;
  }

  @Override
  public Map<String, OnnxTensor> inputs(TensorScope run, int fresh) {
    Map<String, OnnxTensor> inputs = new HashMap<>(active);
    inputs.put(KvCacheNames.ROWS, run.indices(new int[] {fresh - 1}, 1));
    if (refreshes()) {
      for (int layer = 0; layer < activeTokens.length; layer++) {
        int[] order = order(activeTokens[layer], parkedTokens[layer]);
        for (String past : names(layer)) {
          inputs.put(past, segment.picker().join(run, active.get(past), parked.get(past), order));
        }
      }
    }
    return inputs;
  }

  /** The order that sorts two ascending lists of tokens, one after the other. */
  private static int[] order(int[] first, int[] second) {
    int[] order = new int[first.length + second.length];
    int i = 0;
    int j = 0;
    for (int k = 0; k < order.length; k++) {
      boolean takeFirst = j == second.length || (i < first.length && first[i] < second[j]);
      order[k] = takeFirst ? i++ : first.length + j++;
    }
    return order;
  }

  @Override
  public Set<String> outputs() {
    Set<String> names = new HashSet<>();
    for (int layer = 0; layer < activeTokens.length; layer++) {
      names(layer).forEach(past -> names.add(PlainKvCache.presentOf(past)));
      if (!prefillDone || refreshes()) {
        names.add(attentionOf(layer));
      }
    }
    return names;
  }

  @Override
  public void append(TensorScope run, Map<String, OnnxTensor> out, int fresh) {
    boolean refreshed = refreshes();
    TensorScope next = activeOwner.newScope();
    Map<String, OnnxTensor> grown = new HashMap<>();
    for (int layer = 0; layer < activeTokens.length; layer++) {
      for (String past : names(layer)) {
        grown.put(past, next.transferFrom(run, out.get(PlainKvCache.presentOf(past))));
      }
      if (!prefillDone || refreshed) {
        attention[layer] = TensorScope.valuesOf(out.get(attentionOf(layer)));
      }
      int[] before =
          refreshed ? merged(activeTokens[layer], parkedTokens[layer]) : activeTokens[layer];
      int first = tokens;
      int[] after = Arrays.copyOf(before, before.length + fresh);
      for (int i = 0; i < fresh; i++) {
        after[before.length + i] = first + i;
      }
      activeTokens[layer] = after;
    }
    activeOwner.close();
    activeOwner = next;
    active = grown;
    tokens += fresh;
    seen = activeTokens[0].length;
    if (refreshed) {
      part(plan.coreCount(promptVisual()), plan.stayCount(promptVisual()));
    }
    ordinary = prefillDone && !refreshed ? ordinary + 1 : 0;
  }

  private static int[] merged(int[] first, int[] second) {
    return IntStream.concat(Arrays.stream(first), Arrays.stream(second)).sorted().toArray();
  }

  private int promptVisual() {
    int count = 0;
    for (boolean one : visual) {
      count += one ? 1 : 0;
    }
    return count;
  }

  @Override
  public void onPrefillDone(boolean[] visual) {
    this.visual = visual.clone();
    prefillDone = true;
    int all = promptVisual();
    if (all > 0) {
      part(plan.coreCount(all), plan.stayCount(all));
    }
  }

  /** Keeps core, text and what was generated, parks other visual tokens, drops the rest. */
  private void part(int core, int stay) {
    TensorScope nextActive = activeOwner.newScope();
    TensorScope nextParked = parkedOwner.newScope();
    Map<String, OnnxTensor> keep = new HashMap<>();
    Map<String, OnnxTensor> aside = new HashMap<>();
    try {
      for (int layer = 0; layer < activeTokens.length; layer++) {
        int[] held = activeTokens[layer];
        int[] rows = IntStream.range(0, held.length).filter(r -> isVisual(held[r])).toArray();
        float[] scores = new float[rows.length];
        for (int i = 0; i < rows.length; i++) {
          scores[i] = attention[layer][rows[i]];
        }
        boolean[] drop = new boolean[held.length];
        for (int row : rows) {
          drop[row] = true;
        }
        boolean[] park = new boolean[held.length];
        for (int chosen : plan.highest(scores, Math.min(stay, rows.length))) {
          drop[rows[chosen]] = false;
          park[rows[chosen]] = true;
        }
        for (int chosen : plan.highest(scores, Math.min(core, rows.length))) {
          park[rows[chosen]] = false;
        }
        int[] kept = IntStream.range(0, held.length).filter(r -> !drop[r] && !park[r]).toArray();
        int[] put = IntStream.range(0, held.length).filter(r -> park[r]).toArray();
        for (String past : names(layer)) {
          OnnxTensor whole = active.get(past);
          keep.put(past, segment.picker().pick(nextActive, whole, kept));
          aside.put(past, segment.picker().pick(nextParked, whole, put));
          activeOwner.release(whole);
        }
        activeTokens[layer] = Arrays.stream(kept).map(r -> held[r]).toArray();
        parkedTokens[layer] = Arrays.stream(put).map(r -> held[r]).toArray();
      }
    } catch (RuntimeException e) {
      nextActive.close();
      nextParked.close();
      throw e;
    }
    activeOwner.close();
    parkedOwner.close();
    activeOwner = nextActive;
    parkedOwner = nextParked;
    active = keep;
    parked = aside;
  }

  private boolean isVisual(int token) {
    return token < visual.length && visual[token];
  }

  @Override
  public long bytes() {
    return PlainKvCache.bytes(active) + PlainKvCache.bytes(parked);
  }

  @Override
  public void close() {
    activeOwner.close();
    parkedOwner.close();
  }
}
