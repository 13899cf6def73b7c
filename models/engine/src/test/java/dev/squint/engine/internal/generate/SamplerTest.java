package dev.squint.engine.internal.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.squint.engine.request.SamplingOptions;
import dev.squint.error.ModelException;
import dev.squint.onnx.config.DecodingRules;
import dev.squint.onnx.config.ModelConfig;
import dev.squint.onnx.internal.config.ConfigReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sampling against transformers ({@code models/fixtures/make_sampling.py}), and by itself. */
class SamplerTest {

  private static final Path DATA = Path.of("..", "fixtures", "data");
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int DRAWS = 200_000;

  @TempDir Path temp;

  private static JsonNode reference() throws IOException {
    return JSON.readTree(DATA.resolve("sampling.json").toFile());
  }

  private ModelConfig config(ObjectNode generation, int vocabulary) throws IOException {
    ObjectNode config = (ObjectNode) JSON.readTree(DATA.resolve("tiny-llava/config.json").toFile());
    ((ObjectNode) config.get("text_config")).put("vocab_size", vocabulary);
    JSON.writeValue(temp.resolve("config.json").toFile(), config);
    JSON.writeValue(temp.resolve("generation_config.json").toFile(), generation);
    return ConfigReader.read(temp);
  }

  private ModelConfig config(String generation) throws IOException {
    return config((ObjectNode) JSON.readTree(generation), 64);
  }

  private static float[] floats(JsonNode encoded) {
    byte[] bytes = Base64.getDecoder().decode(encoded.asText());
    float[] values = new float[bytes.length / Float.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  private static long[] longs(JsonNode array) {
    return IntStream.range(0, array.size()).mapToLong(i -> array.get(i).asLong()).toArray();
  }

  @Test
  void theTokensThatMayBeDrawnAndTheirScoresAreThoseOfTransformers() throws Exception {
    JsonNode reference = reference();
    int compared = 0;
    for (JsonNode expected : reference.get("cases")) {
      float[] logits = floats(reference.get("scores").get(expected.get("scores").asText()));
      ObjectNode generation = expected.get("settings").deepCopy();
      JsonNode presence = generation.remove("presence");
      generation.put("do_sample", true).put("eos_token_id", reference.get("end").asInt());
      ModelConfig config = config(generation, logits.length);
      SamplingOptions.Builder asked = SamplingOptions.builder();
      if (presence != null) {
        asked.presencePenalty(presence.asDouble());
      }
      Sampling how = Sampling.of(asked.build(), config);
      NextToken next =
          new NextToken(
              config.decoding(), how, config.endTokens(), longs(expected.get("prompt")), 4096);
      for (long token : longs(expected.get("answer"))) {
        next.remember(token);
      }
      float[] scores = next.changed(logits);
      int[] kept = new Sampler(how).keep(scores);
      Arrays.sort(kept);
      String what = expected.get("scores").asText() + " " + expected.get("settings");
      assertThat(kept).as(what).hasSize(expected.get("count").asInt());
      if (expected.has("tokens")) {
        assertThat(kept).as(what).containsExactly(toInts(longs(expected.get("tokens"))));
        float[] processed = floats(expected.get("processed"));
        for (int i = 0; i < kept.length; i++) {
          assertThat(scores[kept[i]]).as("%s: %d", what, kept[i]).isEqualTo(processed[i]);
        }
      } else {
        assertThat(sha256(scores, kept)).as(what).isEqualTo(expected.get("sha256").asText());
      }
      compared++;
    }
    assertThat(compared).isGreaterThan(300);
  }

  private static int[] toInts(long[] values) {
    return Arrays.stream(values).mapToInt(Math::toIntExact).toArray();
  }

  private static String sha256(float[] scores, int[] kept) throws NoSuchAlgorithmException {
    float[] all = new float[scores.length];
    Arrays.fill(all, Float.NEGATIVE_INFINITY);
    for (int token : kept) {
      all[token] = scores[token];
    }
    ByteBuffer bytes = ByteBuffer.allocate(all.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(all);
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()));
  }

  @Test
  void whatAModelLeavesOutIsAsTransformersHasIt() throws IOException {
    JsonNode defaults = reference().get("defaults");
    Sampling how =
        Sampling.of(
            SamplingOptions.ofModel(), config("{\"do_sample\": true, \"eos_token_id\": 2}"));
    assertThat(how.draws()).isTrue();
    assertThat(how.temperature()).isEqualTo((float) defaults.get("temperature").asDouble());
    assertThat(how.topK()).isEqualTo(defaults.get("top_k").asInt());
    assertThat(how.topP()).isEqualTo(defaults.get("top_p").asDouble());
    assertThat(how.minP()).isEqualTo(defaults.get("min_p").asDouble());
  }

  @Test
  void aRequestGoesBeforeTheModel() throws IOException {
    ModelConfig greedy = config("{\"eos_token_id\": 2, \"top_k\": 7, \"repetition_penalty\": 1.5}");
    ModelConfig drawing =
        config("{\"eos_token_id\": 2, \"do_sample\": true, \"temperature\": 0.5, \"top_p\": 0.9}");
    assertThat(Sampling.of(SamplingOptions.ofModel(), greedy).draws()).isFalse();
    assertThat(Sampling.of(SamplingOptions.ofModel(), drawing).draws()).isTrue();
    assertThat(Sampling.of(SamplingOptions.greedy(), drawing).draws()).isFalse();
    SamplingOptions minP = SamplingOptions.builder().minP(0.1).seed(3).build();
    assertThat(Sampling.of(minP, greedy)).isEqualTo(new Sampling(true, 1, 7, 1, 0.1, 1.5f, 0, 3));
    SamplingOptions all =
        SamplingOptions.builder().temperature(2).topK(0).topP(0.4).repetitionPenalty(1).build();
    assertThat(Sampling.of(all, drawing)).isEqualTo(new Sampling(true, 2, 0, 0.4, 0, 1, 0, 0));
    ModelConfig cold = config("{\"eos_token_id\": 2, \"do_sample\": true, \"temperature\": 0.0}");
    assertThat(Sampling.of(SamplingOptions.ofModel(), cold).draws()).isFalse();
  }

  @Test
  void everySettingThatTransformersKnowsIsReadOrRefusedOrChangesNothing() throws IOException {
    Set<String> read =
        Set.of(
            "do_sample",
            "temperature",
            "top_k",
            "top_p",
            "min_p",
            "repetition_penalty",
            "no_repeat_ngram_size",
            "bad_words_ids",
            "min_length",
            "min_new_tokens",
            "eos_token_id",
            "forced_eos_token_id",
            "suppress_tokens",
            "begin_suppress_tokens");
    List<String> refused =
        List.of(
            "\"typical_p\": 0.9",
            "\"epsilon_cutoff\": 0.0003",
            "\"eta_cutoff\": 0.0003",
            "\"top_h\": 0.4",
            "\"num_beams\": 2",
            "\"penalty_alpha\": 0.6",
            "\"dola_layers\": \"low\"",
            "\"force_words_ids\": [[3]]",
            "\"constraints\": [1]",
            "\"sequence_bias\": [[[3], 1.5]]",
            "\"encoder_no_repeat_ngram_size\": 2",
            "\"encoder_repetition_penalty\": 1.1",
            "\"exponential_decay_length_penalty\": [3, 1.1]",
            "\"watermarking_config\": {\"seed\": 1}",
            "\"token_healing\": true",
            "\"stop_strings\": [\"x\"]",
            "\"guidance_scale\": 1.5",
            "\"num_beam_groups\": 2");
    Set<String> changeNothing =
        Set.of(
            // Of how long it may take or be, which a request says.
            "max_length",
            "max_new_tokens",
            "max_time",
            // Of beams alone.
            "early_stopping",
            "length_penalty",
            "diversity_penalty",
            "low_memory",
            // Of speed and memory, and of guessing ahead, after which the answer is the same.
            "use_cache",
            "cache_implementation",
            "cache_config",
            "prefill_chunk_size",
            "compile_config",
            "disable_compile",
            "continuous_batching_config",
            "is_assistant",
            "num_assistant_tokens",
            "num_assistant_tokens_schedule",
            "assistant_confidence_threshold",
            "prompt_lookup_num_tokens",
            "max_matching_ngram_size",
            "assistant_early_exit",
            "assistant_lookbehind",
            "target_lookbehind",
            "assistant_ensemble_weight",
            "speculation_type",
            "use_mtp",
            "max_cache_len",
            // Of what is returned.
            "num_return_sequences",
            "output_attentions",
            "output_hidden_states",
            "output_scores",
            "output_logits",
            "return_dict_in_generate",
            // Of a text that begins with nothing, of scores that are no numbers, of a norm.
            "pad_token_id",
            "bos_token_id",
            "forced_bos_token_id",
            "decoder_start_token_id",
            "remove_invalid_values",
            "renormalize_logits",
            "transformers_version");
    List<String> names = new ArrayList<>();
    for (String one : refused) {
      names.add(one.substring(1, one.indexOf('"', 1)));
      assertThatThrownBy(
              () ->
                  Sampling.of(
                      SamplingOptions.ofModel(),
                      config("{\"eos_token_id\": 2, \"do_sample\": true, %s}".formatted(one))))
          .as(one)
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("generation_config.json")
          .hasMessageContaining(names.get(names.size() - 1));
    }
    for (JsonNode known : reference().get("known")) {
      String name = known.asText();
      assertThat(read.contains(name) || names.contains(name) || changeNothing.contains(name))
          .as("%s is read, refused or without effect", name)
          .isTrue();
    }
  }

  @Test
  void waysToDrawThatAreNotKnownDoNotMatterWhereNothingIsDrawn() throws IOException {
    ModelConfig model = config("{\"eos_token_id\": 2, \"do_sample\": true, \"typical_p\": 0.9}");
    assertThat(Sampling.of(SamplingOptions.greedy(), model).draws()).isFalse();
    ModelConfig greedy = config("{\"eos_token_id\": 2, \"typical_p\": 0.9, \"eta_cutoff\": 0.1}");
    assertThat(Sampling.of(SamplingOptions.ofModel(), greedy).draws()).isFalse();
    SamplingOptions warm = SamplingOptions.builder().temperature(0.7).build();
    ModelConfig silent =
        config(
            "{\"eos_token_id\": 2, \"typical_p\": 1.0, \"epsilon_cutoff\": 0, \"eta_cutoff\": 0.0, \"top_h\": null}");
    assertThat(Sampling.of(warm, silent).draws()).isTrue();
    assertThatThrownBy(() -> Sampling.of(warm, greedy))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("eta_cutoff and typical_p")
        .hasMessageContaining("temperature 0");
  }

  private static Sampling drawing(double topP, long seed) {
    return new Sampling(true, 1, 0, topP, 0, 1, 0, seed);
  }

  @Test
  void drawsFollowTheDistribution() {
    double[] shares = {0.4, 0, 0.3, 0.15, 0.1, 0.05};
    float[] logits = new float[shares.length];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) Math.log(shares[i]);
    }
    Sampler sampler = new Sampler(drawing(1, 17));
    int[] counts = new int[shares.length];
    for (int draw = 0; draw < DRAWS; draw++) {
      counts[sampler.draw(logits.clone())]++;
    }
    assertThat(counts[1]).isZero();
    double chiSquare =
        DoubleStream.of(0, 2, 3, 4, 5)
                .map(i -> Math.pow(counts[(int) i] - DRAWS * shares[(int) i], 2) / shares[(int) i])
                .sum()
            / DRAWS;
    assertThat(chiSquare).as("the quantile 0.999 of 4 degrees of freedom").isLessThan(18.5);

    Sampler nucleus = new Sampler(drawing(0.69, 17));
    int first = 0;
    for (int draw = 0; draw < DRAWS; draw++) {
      int token = nucleus.draw(logits.clone());
      assertThat(token == 0 || token == 2).isTrue();
      first += token == 0 ? 1 : 0;
    }
    double share = 0.4 / 0.7;
    double deviation = Math.sqrt(share * (1 - share) / DRAWS);
    assertThat((double) first / DRAWS).isBetween(share - 4 * deviation, share + 4 * deviation);
  }

  @Test
  void aSeedDrawsTheSameAnswerAndAnotherOneAnother() {
    float[] logits = new float[500];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) Math.sin(i);
    }
    List<int[]> drawn = new ArrayList<>();
    for (long seed : new long[] {5, 5, 6}) {
      Sampler sampler = new Sampler(drawing(0.9, seed));
      drawn.add(IntStream.range(0, 40).map(i -> sampler.draw(logits.clone())).toArray());
    }
    assertThat(drawn.get(1)).containsExactly(drawn.get(0));
    assertThat(drawn.get(2)).isNotEqualTo(drawn.get(0));
  }

  @Test
  void scoresThatAreNoNumbersAreRefusedInOneSentence() {
    NextToken greedy =
        new NextToken(
            DecodingRules.NONE,
            new Sampling(false, 1, 0, 1, 0, 1, 0, 0),
            Set.of(2L),
            new long[] {1},
            5);
    assertThat(greedy.needsScores()).isFalse();
    NextToken warm =
        new NextToken(DecodingRules.NONE, drawing(1, 0), Set.of(2L), new long[] {1}, 5);
    assertThat(warm.needsScores()).isTrue();
    float[] damaged = {0, Float.NaN, 1};
    float[] endless = {0, Float.POSITIVE_INFINITY, 1};
    for (Runnable refused :
        List.<Runnable>of(
            () -> greedy.take(-1),
            () -> greedy.choose(damaged),
            () -> warm.choose(damaged),
            () -> warm.choose(endless))) {
      assertThatThrownBy(refused::run)
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("no number")
          .hasMessageNotContaining("\n");
    }
    float[] nothing = new float[4];
    Arrays.fill(nothing, Float.NEGATIVE_INFINITY);
    assertThatThrownBy(() -> warm.choose(nothing))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("forbids all");
  }
}
