package dev.squint.family.llava;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.squint.chat.Role;
import dev.squint.chat.Turn;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.engine.request.ModelInput;
import dev.squint.family.ImageOptions;
import dev.squint.family.ModelFamily;
import dev.squint.family.PromptImage;
import dev.squint.image.ImageInput;
import dev.squint.image.OpenCv;
import dev.squint.image.RgbImage;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.trace.SiteTrace;
import dev.squint.tokenizer.TokenizerLibrary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** A small model of the LLaVA line and what PyTorch answers: {@code make_family_llavas.py}. */
public final class FamilyFixture implements AutoCloseable {

  private static final Path ALL = Path.of("..", "..", "models", "fixtures", "data", "families");
  private static final ModelOptions OPTIONS = ModelOptions.builder().threads(1).build();
  private static final float TOLERANCE = 1e-3f;

  private final Path images;
  private final VisionLanguageModel model;
  private final ModelFamily family;

  private FamilyFixture(Path images, VisionLanguageModel model, ModelFamily family) {
    this.images = images;
    this.model = model;
    this.family = family;
  }

  /** The folder of a family as it is committed. */
  public static Path folder(String name) {
    return ALL.resolve(name);
  }

  /** A copy that may be changed. */
  public static Path copy(String name, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(folder(name))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path target = to.resolve(folder(name).relativize(file).toString());
        Files.createDirectories(target.getParent());
        Files.copy(file, target);
      }
    }
    return to;
  }

  /** What PyTorch says of a family. */
  public static JsonNode reference(String name) {
    try {
      return new ObjectMapper().readTree(folder(name).resolve("reference.json").toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A part of that, one by one. */
  public static Stream<JsonNode> each(String name, String part) {
    return StreamSupport.stream(reference(name).path(part).spliterator(), false);
  }

  /** Opens a model folder. */
  public static FamilyFixture open(Path folder) {
    OpenCv.load(OPTIONS.cacheFolder());
    TokenizerLibrary.prepare(OPTIONS.cacheFolder());
    VisionLanguageModel model = VisionLanguageModel.open(folder, OPTIONS);
    try {
      return new FamilyFixture(folder.resolve("images"), model, ModelFamily.of(model));
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  /** The model. */
  public VisionLanguageModel model() {
    return model;
  }

  /** Its family. */
  public ModelFamily family() {
    return family;
  }

  /** An image of the fixture. */
  public RgbImage image(String name) {
    return RgbImage.decode(ImageInput.of(images.resolve(name)));
  }

  /** The prompt of a chat of the reference. */
  public ModelInput prompt(JsonNode chat) {
    List<Turn> turns = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (JsonNode message : chat) {
      List<Turn.Part> parts = new ArrayList<>();
      for (int i = 1; i < message.size(); i++) {
        String part = message.get(i).textValue();
        if (part.endsWith(".png")) {
          names.add(part);
        }
        parts.add(part.endsWith(".png") ? new Turn.Image() : new Turn.Text(part));
      }
      turns.add(new Turn(Role.valueOf(message.get(0).textValue().toUpperCase(Locale.ROOT)), parts));
    }
    ImageOptions options = ImageOptions.DEFAULTS.among(names.size());
    List<PromptImage> shown =
        names.stream().map(name -> family.prepare(image(name), options)).toList();
    return family.prompts().prompt(turns, shown);
  }

  /** Answers. */
  public Generation answer(ModelInput prompt, String spec) {
    return answer(prompt, spec, 16);
  }

  /** Answers in so many tokens. */
  public Generation answer(ModelInput prompt, String spec, int tokens) {
    return model.generate(
        prompt,
        Strategies.parse(spec),
        GenerationOptions.builder().maxNewTokens(tokens).keepFirstLogits(true).build());
  }

  /** A chat has the token ids, first logits and greedy tokens of the reference. */
  public void requireAnswer(JsonNode expected) {
    String name = expected.path("name").asText();
    ModelInput prompt = prompt(expected.path("chat"));
    assertThat(prompt.tokenIds()).as(name).containsExactly(longs(expected.path("ids")));
    requireSame(name, answer(prompt, "none"), expected);
    assertThat(model.openTensors()).isZero();
  }

  /** A strategy keeps the same tokens and gives the same answer. */
  public void requirePruned(JsonNode chat, JsonNode expected) {
    String spec = expected.path("spec").asText();
    Generation made = answer(prompt(chat), spec);
    assertThat(made.trace().sites()).hasSize(1);
    SiteTrace site = made.trace().sites().get(0);
    assertThat(site.site()).as(spec).hasToString(expected.path("site").asText());
    assertThat(site.keptOriginal())
        .as(spec)
        .containsExactly(
            StreamSupport.stream(expected.path("kept").spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray());
    assertThat(site.addedOriginal()).as(spec).hasSize(expected.path("added").size());
    requireSame(spec, made, expected);
  }

  private static void requireSame(String name, Generation made, JsonNode expected) {
    assertThat(made.firstLogits())
        .as(name)
        .containsExactly(floats(expected.path("logits").asText()), offset(TOLERANCE));
    assertThat(made.tokens()).as(name).containsExactly(longs(expected.path("tokens")));
  }

  private static long[] longs(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).mapToLong(JsonNode::asLong).toArray();
  }

  /** Numbers that are written as base64 of little-endian float32. */
  public static float[] floats(String base64) {
    FloatBuffer numbers =
        ByteBuffer.wrap(Base64.getDecoder().decode(base64))
            .order(ByteOrder.LITTLE_ENDIAN)
            .asFloatBuffer();
    float[] floats = new float[numbers.remaining()];
    numbers.get(floats);
    return floats;
  }

  @Override
  public void close() {
    try (model) {
      family.close();
    }
  }
}
