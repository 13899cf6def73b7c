package dev.squint;

import dev.squint.engine.request.GenerationRequest.CacheReuse;
import dev.squint.engine.request.PromptCache;
import dev.squint.family.ImageOptions;
import dev.squint.pruning.Strategy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Several chats that share images and beginnings. */
final class ChatBatch {

  private final ChatRunner runner;
  private final List<ChatRequest> requests;
  private final ChatResponse[] responses;

  /** How many of the groups to come are about an image. */
  private final Map<ShownImage, Integer> awaited = new HashMap<>();

  private final Map<ShownImage, PreparedImage> seen = new HashMap<>();

  /**
   * Chats that may share a beginning.
   *
   * @param strategy what prunes them
   * @param images what they are about: each a {@link ShownImage} or a {@link PreparedImage}
   */
  private record Group(Strategy strategy, List<Object> images) {

    static Group of(ChatRequest request) {
      ImageOptions options = request.imageOptions().among(ChatRunner.imagesOf(request.messages()));
      return new Group(
          request.strategy(),
          request.messages().stream()
              .flatMap(message -> message.parts().stream())
              .filter(part -> !(part instanceof ChatMessage.Text))
              .map(
                  part ->
                      part instanceof ChatMessage.Image given
                          ? new ShownImage(given.image(), options)
                          : ((ChatMessage.Prepared) part).image())
              .collect(Collectors.toUnmodifiableList()));
    }

    List<ShownImage> inputs() {
      return images.stream()
          .filter(ShownImage.class::isInstance)
          .map(ShownImage.class::cast)
          .distinct()
          .toList();
    }
  }

  ChatBatch(ChatRunner runner, List<ChatRequest> requests) {
    this.runner = runner;
    this.requests = List.copyOf(requests);
    this.responses = new ChatResponse[requests.size()];
  }

  List<ChatResponse> run() {
    Map<Group, List<Integer>> groups = new LinkedHashMap<>();
    for (int i = 0; i < requests.size(); i++) {
      requests.get(i).strategy().plan(runner.model().facts());
      groups.computeIfAbsent(Group.of(requests.get(i)), key -> new ArrayList<>()).add(i);
    }
    groups
        .keySet()
        .forEach(group -> group.inputs().forEach(i -> awaited.merge(i, 1, Integer::sum)));
    try {
      groups.forEach(this::run);
    } finally {
      seen.values().forEach(PreparedImage::close);
    }
    return Arrays.asList(responses);
  }

  private void run(Group group, List<Integer> members) {
    if (members.size() == 1) {
      run(members.get(0), Optional.empty());
    } else {
      try (PromptCache cache = runner.model().newCache()) {
        for (int member : members) {
          run(member, Optional.of(new ChatRunner.Kept(cache, CacheReuse.SELECT_ANEW)));
        }
      }
    }
    for (ShownImage image : group.inputs()) {
      if (awaited.merge(image, -1, Integer::sum) == 0) {
        seen.remove(image).close();
      }
    }
  }

  private void run(int member, Optional<ChatRunner.Kept> kept) {
    ChatRequest request = requests.get(member);
    long start = System.nanoTime();
    List<ChatMessage> messages = runner.prepared(request.messages(), request.imageOptions(), seen);
    responses[member] = runner.run(request, messages, start, kept, piece -> {}).response();
  }
}
