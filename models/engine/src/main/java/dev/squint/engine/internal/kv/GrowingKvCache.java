package dev.squint.engine.internal.kv;

import ai.onnxruntime.OnnxTensor;
import dev.squint.engine.internal.ort.TensorScope;
import dev.squint.engine.internal.session.SplitDecoder;
import dev.squint.engine.internal.session.TokenPicker;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.decoder.DecoderGraph;
import dev.squint.onnx.internal.decoder.KvCacheNames;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Keys and values in memory that a segment reads and writes in place, with room for more. A step
 * makes no tensor of the cache: neither a second one beside the first, nor its objects in Java, of
 * which ONNX Runtime makes 390 bytes for each tensor that it returns.
 *
 * <p>Room is for 64 tokens more than are needed, or an eighth; what is there moves when it is used
 * up.
 */
final class GrowingKvCache implements KvCache {

  private static final int FURTHER_TOKENS = 64;
  private static final int SHARE = 8;
  private static final int TOKEN_AXIS = 2;

  private final SplitDecoder.Segment segment;
  private final TokenPicker picker;
  private final TensorScope owner;
  private final Map<String, OnnxTensor> inputs = new HashMap<>();
  private final Map<String, OnnxTensor> rooms = new HashMap<>();
  private final LongBuffer numbers =
      ByteBuffer.allocateDirect(2 * Long.BYTES).order(ByteOrder.nativeOrder()).asLongBuffer();
  private final OnnxTensor begin;
  private final boolean placed;
  private int tokens;
  private int room;
  private int moves;

  /** Tokens that there is room for where so many are needed. */
  static int withRoom(int tokens) {
    return tokens + Math.max(FURTHER_TOKENS, tokens / SHARE);
  }

  GrowingKvCache(SplitDecoder.Segment segment, ModelConfig.Text sizes, TensorScope owner) {
    this(segment, owner);
    try {
      for (int layer = segment.spec().from(); layer < segment.spec().to(); layer++) {
        for (boolean key : new boolean[] {true, false}) {
          String past = DecoderGraph.past(layer, key);
          put(layer, key, PlainKvCache.empty(segment.session(), sizes, owner, past));
        }
      }
    } catch (RuntimeException e) {
      owner.close();
      throw e;
    }
  }

  private GrowingKvCache(GrowingKvCache of, int tokens, TensorScope owner) {
    this(of.segment, owner);
    this.tokens = tokens;
    this.room = tokens;
    int[] first = IntStream.range(0, tokens).toArray();
    try {
      forEach((layer, key) -> put(layer, key, picker.pick(owner, of.stored(layer, key), first)));
    } catch (RuntimeException e) {
      owner.close();
      throw e;
    }
  }

  private GrowingKvCache(SplitDecoder.Segment segment, TensorScope owner) {
    this.segment = segment;
    this.picker = segment.picker();
    this.owner = owner;
    Set<String> names = segment.session().inputs();
    this.placed = names.contains(KvCacheNames.PLACES);
    this.begin = owner.longs(numbers.slice(0, 1), 1);
    if (names.contains(KvCacheNames.BEGIN)) {
      inputs.put(KvCacheNames.BEGIN, begin);
    }
    if (names.contains(KvCacheNames.END)) {
      inputs.put(KvCacheNames.END, owner.longs(numbers.slice(1, 1), 1));
    }
  }

  private void forEach(TailedCache.Visit visit) {
    for (int layer = segment.spec().from(); layer < segment.spec().to(); layer++) {
      visit.at(layer, true);
      visit.at(layer, false);
    }
  }

  private OnnxTensor stored(int layer, boolean key) {
    return rooms.get(KvCacheNames.room(layer, key));
  }

  private void put(int layer, boolean key, OnnxTensor stored) {
    inputs.put(DecoderGraph.past(layer, key), stored);
    rooms.put(KvCacheNames.room(layer, key), stored);
  }

  @Override
  public KvCache copyOfFirst(int count, TensorScope to) {
    return new GrowingKvCache(this, count, to);
  }

  @Override
  public int tokens() {
    return tokens;
  }

  @Override
  public void expect(int fresh) {
    if (tokens + fresh > room) {
      reserve(withRoom(tokens + fresh));
    }
  }

  @Override
  public Map<String, OnnxTensor> inputs(TensorScope run, int fresh) {
    expect(fresh);
    int needed = tokens + fresh;
    numbers.put(0, tokens).put(1, needed);
    if (placed) {
      inputs.put(
          KvCacheNames.PLACES,
          fresh == 1 ? begin : run.longs(LongStream.range(tokens, needed).toArray(), fresh));
    }
    return inputs;
  }

  private void reserve(int wanted) {
    int[] rows = IntStream.range(0, wanted).map(row -> row < tokens ? row : 0).toArray();
    forEach(
        (layer, key) -> {
          OnnxTensor old = stored(layer, key);
          long[] shape = old.getInfo().getShape();
          shape[TOKEN_AXIS] = wanted;
          put(
              layer,
              key,
              tokens == 0 ? picker.room(owner, old, shape) : picker.pick(owner, old, rows));
          owner.release(old);
        });
    room = wanted;
    moves++;
  }

  @Override
  public int moves() {
    return moves;
  }

  @Override
  public Set<String> outputs() {
    return Set.of();
  }

  @Override
  public Map<String, OnnxTensor> inPlace() {
    return rooms;
  }

  @Override
  public void append(TensorScope run, Map<String, OnnxTensor> out, int fresh) {
    tokens += fresh;
  }

  @Override
  public void onPrefillDone(boolean[] visual) {}

  /** Bytes of the tokens that are there, without the room for others. */
  @Override
  public long bytes() {
    return room == 0 ? 0 : PlainKvCache.bytes(rooms) / room * tokens;
  }

  @Override
  public void close() {
    owner.close();
  }
}
