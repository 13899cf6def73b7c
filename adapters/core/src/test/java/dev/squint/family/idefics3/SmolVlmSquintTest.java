package dev.squint.family.idefics3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.squint.Answer;
import dev.squint.ChatMessage;
import dev.squint.ChatRequest;
import dev.squint.ChatResponse;
import dev.squint.Conversation;
import dev.squint.Squint;
import dev.squint.engine.options.ModelOptions;
import dev.squint.engine.request.GenerationOptions;
import dev.squint.fixtures.TestCache;
import dev.squint.image.ImageInput;
import dev.squint.image.RgbImage;
import dev.squint.overlay.OverlayException;
import dev.squint.pruning.Strategies;
import dev.squint.pruning.trace.Trace;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A SmolVLM's folder as somebody uses it who has downloaded it. */
class SmolVlmSquintTest {

  private static final GenerationOptions SIXTEEN =
      GenerationOptions.builder().maxNewTokens(16).build();
  private static final int SIDE = 4;
  private static final double DIM = 0.22;

  private static Squint squint;

  @BeforeAll
  static void load() {
    squint =
        Squint.load(
            SmolVlm.FOLDER,
            ModelOptions.builder().cacheFolder(TestCache.FOLDER).threads(1).build());
  }

  @AfterAll
  static void close() {
    squint.close();
  }

  private static ImageInput image(String name) {
    return ImageInput.of(SmolVlm.FOLDER.resolve(name));
  }

  private static String text(String chat) {
    return SmolVlm.reference("cases")
        .filter(one -> one.path("name").asText().equals(chat))
        .map(one -> one.path("text").asText().strip())
        .findFirst()
        .orElseThrow();
  }

  @Test
  void asksAndDescribes() {
    String question = "What is in the picture?";
    Answer answer = squint.ask(image("wide.png"), question, Strategies.parse("none"), SIXTEEN);
    assertThat(answer.text()).isEqualTo(text("one"));
    assertThat(answer.trace().visualTokens()).isEqualTo(7 * SIDE * SIDE);
    assertThat(squint.caption(image("tall.png"), Strategies.parse("fastv:k=1"), SIXTEEN).text())
        .isNotEmpty();
    assertThat(squint.promptTemplate())
        .isEqualTo("<|im_start|>User:<image>{question}<end_of_utterance>\nAssistant:");
  }

  /** Two images of 7 and 3 tiles of 16 tokens: what stays of each tile and of each image. */
  @Test
  void budgetsAreCountedForTilesImagesOrTheRequest() {
    ChatRequest.Builder both =
        ChatRequest.builder()
            .message(ChatMessage.user(List.of(image("wide.png"), image("tall.png")), "Which?"))
            .maxTokens(1);
    int[] tiles = counts(both, "fastervlm:keep=0.25,per=tile", SIDE * SIDE);
    assertThat(tiles).containsOnly(4);
    int ofWide = 7 * SIDE * SIDE;
    int[] images = counts(both, "fastervlm:keep=0.25,per=image", ofWide);
    assertThat(images[0]).isEqualTo(ofWide / 4);
    int all = Arrays.stream(tiles).sum();
    assertThat(Arrays.stream(images).sum()).isEqualTo(all);
    int[] request = counts(both, "fastervlm:keep=0.25,per=request", SIDE * SIDE);
    assertThat(Arrays.stream(request).sum()).isEqualTo(all);
    assertThat(request).isNotEqualTo(tiles);
  }

  /** How many of each so many neighbouring visual tokens stay. */
  private static int[] counts(ChatRequest.Builder request, String spec, int neighbours) {
    Trace trace = squint.chat(request.strategy(spec).build()).trace();
    int[] counts = new int[(trace.visualTokens() + neighbours - 1) / neighbours];
    for (int token : trace.sites().get(0).keptOriginal()) {
      counts[token / neighbours]++;
    }
    return counts;
  }

  @Test
  void aSecondTurnGoesOnFromTheFirst() {
    ChatRequest whole =
        ChatRequest.builder()
            .system("Be brief.")
            .message(ChatMessage.user(image("tall.png"), "How many tiles?"))
            .assistant("Four.")
            .user("And rows?\n")
            .options(SIXTEEN)
            .build();
    assertThat(squint.chat(whole).text()).isEqualTo(text("second-turn"));
    try (Conversation talk = squint.conversation()) {
      talk.ask(image("tall.png"), "How many tiles?");
      ChatResponse second = talk.ask("And rows?");
      ChatRequest again = ChatRequest.builder().messages(talk.history().subList(0, 3)).build();
      assertThat(second.text()).isEqualTo(squint.chat(again).text());
    }
  }

  @Test
  void keptTokensAreDrawnOnTheTilesAndOnTheWholeImage() throws IOException {
    Answer answer =
        squint.ask(image("wide.png"), "where?", Strategies.parse("fastervlm:keep=0.5"), SIXTEEN);
    Set<Integer> kept =
        Arrays.stream(answer.trace().sites().get(0).keptOriginal())
            .boxed()
            .collect(Collectors.toSet());
    byte[] png = squint.overlay(image("wide.png"), answer.trace());
    BufferedImage drawn = ImageIO.read(new ByteArrayInputStream(png));
    assertThat(List.of(drawn.getWidth(), drawn.getHeight())).isEqualTo(List.of(960, 320 + 480));
    RgbImage seen = TileFields.read(SmolVlm.FOLDER).seen(RgbImage.decode(image("wide.png")));
    for (int token = 0; token < 7 * SIDE * SIDE; token++) {
      int tile = token / (SIDE * SIDE);
      int row = token / SIDE % SIDE;
      int column = token % SIDE;
      boolean whole = tile == 6;
      double x = whole ? (column + 0.5) / SIDE : (tile % 3 * SIDE + column + 0.5) / (3 * SIDE);
      double y = whole ? (row + 0.5) / SIDE : (tile / 3 * SIDE + row + 0.5) / (2 * SIDE);
      int red = drawn.getRGB((int) (480 * x), (int) (whole ? 320 + 480 * y : 320 * y)) >> 16 & 0xFF;
      int own = seen.sample((int) (seen.width() * x), (int) (seen.height() * y), 0);
      assertThat((double) red)
          .as("token %d", token)
          .isCloseTo(kept.contains(token) ? own : own * DIM, within(1.0));
    }
  }

  @Test
  void anAnswerAboutOtherTokensIsNotDrawn() {
    ChatRequest request =
        ChatRequest.builder()
            .message(ChatMessage.user(List.of(image("wide.png"), image("tall.png")), "both?"))
            .options(SIXTEEN)
            .build();
    assertThatThrownBy(() -> squint.overlay(image("wide.png"), squint.chat(request).trace()))
        .isInstanceOf(OverlayException.class)
        .hasMessage(
            "the answer is about 176 visual tokens, but this image becomes 112; draw one that was asked about alone and in its own size");
  }
}
