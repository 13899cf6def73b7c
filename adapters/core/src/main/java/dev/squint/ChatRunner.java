package dev.squint;

import dev.squint.chat.Turn;
import dev.squint.engine.VisionLanguageModel;
import dev.squint.engine.request.FinishReason;
import dev.squint.engine.request.Generation;
import dev.squint.engine.request.GenerationRequest;
import dev.squint.engine.request.GenerationRequest.CacheReuse;
import dev.squint.engine.request.ModelInput;
import dev.squint.engine.request.PromptCache;
import dev.squint.family.ImageOptions;
import dev.squint.family.ModelFamily;
import dev.squint.family.PromptImage;
import dev.squint.image.RgbImage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The one way from messages to an answer.
 *
 * @param model answers
 * @param family puts messages and images
 */
record ChatRunner(VisionLanguageModel model, ModelFamily family) {

  /**
   * What an earlier request left behind.
   *
   * @param cache what it is
   * @param reuse when it is gone on from
   */
  record Kept(PromptCache cache, CacheReuse reuse) {}

  /**
   * An answer with what the engine gave.
   *
   * @param response in words
   * @param generation in tokens
   */
  record Ran(ChatResponse response, Generation generation) {}

  PreparedImage prepare(ShownImage shown) {
    return prepared(family.prepare(RgbImage.decode(shown.image()), shown.options()));
  }

  PreparedImage prepared(PromptImage image) {
    return new PreparedImage(image, model.prepare(image.pixels()));
  }

  /**
   * The messages with each image prepared.
   *
   * @param messages the messages
   * @param options how images are prepared
   * @param seen images prepared before; those that are new come to it
   */
  List<ChatMessage> prepared(
      List<ChatMessage> messages, ImageOptions options, Map<ShownImage, PreparedImage> seen) {
    ImageOptions shown = options.among(imagesOf(messages));
    List<ChatMessage> prepared = new ArrayList<>();
    for (ChatMessage message : messages) {
      List<ChatMessage.Part> parts = new ArrayList<>();
      for (ChatMessage.Part part : message.parts()) {
        parts.add(
            part instanceof ChatMessage.Image given
                ? new ChatMessage.Prepared(
                    seen.computeIfAbsent(new ShownImage(given.image(), shown), this::prepare))
                : part);
      }
      prepared.add(new ChatMessage(message.role(), parts));
    }
    return prepared;
  }

  /** How many images messages show. */
  static int imagesOf(List<ChatMessage> messages) {
    return (int)
        messages.stream()
            .flatMap(message -> message.parts().stream())
            .filter(part -> !(part instanceof ChatMessage.Text))
            .count();
  }

  /**
   * Answers a request.
   *
   * @param request what is asked
   * @param messages its messages with their images prepared
   * @param start when it was asked, in nanoseconds
   * @param kept what an earlier request left behind
   * @param pieces gets the answer piece by piece
   */
  Ran run(
      ChatRequest request,
      List<ChatMessage> messages,
      long start,
      Optional<Kept> kept,
      Consumer<? super String> pieces) {
    List<PreparedImage> images = images(messages);
    ModelInput prompt =
        family
            .prompts()
            .prompt(
                messages.stream().map(ChatRunner::turn).toList(),
                images.stream().map(PreparedImage::image).toList(),
                request.form());
    AnswerText text = new AnswerText(family.prompts().answer(), request.stop(), pieces);
    GenerationRequest.Builder asked =
        GenerationRequest.builder(prompt)
            .strategy(request.strategy())
            .options(request.options())
            .listener(text)
            .cancellation(request.cancellation());
    if (!images.isEmpty()) {
      asked.images(images.stream().map(PreparedImage::encoded).toList()).notes(family.notes());
    }
    kept.ifPresent(earlier -> asked.cache(earlier.cache(), earlier.reuse()));
    request.deadline().map(deadline -> left(deadline, start)).ifPresent(asked::deadline);
    asked.preprocessingNanos(System.nanoTime() - start);
    Generation generation = model.generate(asked.build());
    String answer = text.end();
    FinishReason finish = text.isStopped() ? FinishReason.STOP_STRING : generation.finish();
    ChatResponse response =
        new ChatResponse(answer, finish, TokenUsage.of(generation.trace()), generation.trace());
    return new Ran(response, generation);
  }

  /** What is left of a time that began at so many nanoseconds, at least one. */
  static Duration left(Duration deadline, long start) {
    Duration left = deadline.minusNanos(System.nanoTime() - start);
    return left.isNegative() || left.isZero() ? Duration.ofNanos(1) : left;
  }

  static List<PreparedImage> images(List<ChatMessage> messages) {
    return messages.stream()
        .flatMap(message -> message.parts().stream())
        .filter(ChatMessage.Prepared.class::isInstance)
        .map(part -> ((ChatMessage.Prepared) part).image())
        .toList();
  }

  private static Turn turn(ChatMessage message) {
    return new Turn(
        message.role(),
        message.parts().stream()
            .<Turn.Part>map(
                part ->
                    part instanceof ChatMessage.Text text
                        ? new Turn.Text(text.text())
                        : new Turn.Image())
            .toList());
  }
}
