package dev.squint.samples.chat;

import dev.squint.ChatRequest;
import dev.squint.ChatResponse;
import dev.squint.Conversation;
import dev.squint.Squint;
import dev.squint.engine.request.SamplingOptions;
import dev.squint.image.ImageInput;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** What a service does with a model. README shows this program. */
public final class Chat {

  private Chat() {}

  /** Talks about the image named by the first argument. */
  public static void main(String[] arguments) {
    try (Squint squint = Squint.load()) {
      squint.warmUp(List.of("none", "fastv:k=4,keep=0.5"));
      ImageInput scene = ImageInput.of(Path.of(arguments[0]));
      ChatRequest request =
          ChatRequest.builder()
              .user(scene, "describe the picture.")
              .strategy("fastv:k=4,keep=0.5")
              .sampling(SamplingOptions.builder().temperature(0.7).topP(0.9).seed(7).build())
              .maxTokens(64)
              .stop("\n")
              .deadline(Duration.ofMinutes(1))
              .build();

      ChatResponse response = squint.chat(request, System.out::print); // piece by piece
      System.out.println(" (" + response.finish() + ", " + response.usage() + ")");

      CompletableFuture<ChatResponse> later = squint.chatAsync(request); // cancel() ends it
      System.out.println(later.join().text());

      try (Conversation talk = squint.conversation()) { // the second turn runs its own words only
        System.out.println(talk.ask(scene, "how many objects are there?").text());
        System.out.println(talk.ask("what color is the circle?").text());
      }

      List<ChatRequest> questions = // one image, encoded once, and one beginning of the prompt
          Stream.of("how many objects are there?", "is there a circle?")
              .map(question -> ChatRequest.builder().user(scene, question).build())
              .toList();
      squint.chatAll(questions).forEach(answer -> System.out.println(answer.text()));
    }
  }
}
