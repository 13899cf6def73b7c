package dev.squint;

import dev.squint.engine.request.Cancellation;
import dev.squint.engine.request.FinishReason;
import dev.squint.engine.request.PromptCache;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.image.ImageInput;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Several turns over the same images. Each turn puts the whole history, and runs only what the turn
 * before has not run: the KV caches of all segments are kept, each with its own length, and so is
 * each image. A turn with a new image runs whole, and so does one whose template changes what was
 * said before.
 *
 * <pre>{@code
 * try (Conversation talk = squint.conversation()) {
 *   talk.ask(ImageInput.of(Path.of("scene.png")), "how many objects are there?");
 *   System.out.println(talk.ask("which of them is the largest?").text());
 * }
 * }</pre>
 *
 * <p>A turn that fails, is cancelled or runs out of time leaves the history as it was. One turn
 * runs at a time; another thread's waits for it.
 */
public final class Conversation implements AutoCloseable {

  private final Squint squint;
  private final ConversationOptions options;
  private final PromptCache cache;
  private final Map<ShownImage, SharedImage> images;
  private final List<ChatMessage> history;
  private final ReentrantLock turn = new ReentrantLock();
  private volatile Cancellation running = new Cancellation();
  private boolean closed;

  /** An image of one conversation and those that were forked from it. */
  private static final class SharedImage {

    private final PreparedImage image;
    private int owners = 1;

    SharedImage(PreparedImage image) {
      this.image = image;
    }

    synchronized SharedImage another() {
      owners++;
      return this;
    }

    void release() {
      boolean last;
      synchronized (this) {
        last = --owners == 0;
      }
      if (last) {
        image.close();
      }
    }
  }

  Conversation(Squint squint, ConversationOptions options) {
    this(squint, options, squint.runner().model().newCache(), new HashMap<>(), new ArrayList<>());
    options.system().ifPresent(text -> history.add(ChatMessage.system(text)));
  }

  private Conversation(
      Squint squint,
      ConversationOptions options,
      PromptCache cache,
      Map<ShownImage, SharedImage> images,
      List<ChatMessage> history) {
    this.squint = squint;
    this.options = options;
    this.cache = cache;
    this.images = images;
    this.history = history;
  }

  /** Asks about the images so far. */
  public ChatResponse ask(String question) {
    return send(ChatMessage.user(question));
  }

  /** Shows an image and asks about it. */
  public ChatResponse ask(ImageInput image, String question) {
    return send(ChatMessage.user(image, question));
  }

  /** Says something, and returns when all is answered. */
  public ChatResponse send(ChatMessage message) {
    return send(message, piece -> {});
  }

  /**
   * Says something, and gets the answer piece by piece; returns when all is said.
   *
   * @param message the user's
   * @param pieces gets the answer as it comes, on this thread
   * @throws ModelException if the conversation is closed
   * @throws dev.squint.error.SquintException as {@link Squint#chat(ChatRequest)} does
   */
  public ChatResponse send(ChatMessage message, Consumer<? super String> pieces) {
    return exclusively(
        () -> squint.open(() -> answer(message, pieces, System.nanoTime()).response()));
  }

  /** The same with what the engine gave. */
  ChatRunner.Ran answer(ChatMessage message, Consumer<? super String> pieces, long start) {
    List<ChatMessage> messages = new ArrayList<>(history);
    messages.add(message);
    Cancellation cancellation = new Cancellation();
    running = cancellation;
    ChatRequest.Builder builder =
        ChatRequest.builder()
            .messages(messages)
            .strategy(options.strategy())
            .options(options.options())
            .stop(options.stop())
            .cancellation(cancellation);
    options.deadline().ifPresent(builder::deadline);
    ChatRequest request = builder.build();
    request.strategy().plan(squint.facts());
    Map<ShownImage, PreparedImage> seen = new HashMap<>();
    images.forEach((input, shared) -> seen.put(input, shared.image));
    boolean answered = false;
    try {
      List<ChatMessage> prepared = squint.runner().prepared(messages, options.imageOptions(), seen);
      ChatRunner.Kept kept = new ChatRunner.Kept(cache, options.reuse());
      ChatRunner.Ran ran = squint.runner().run(request, prepared, start, Optional.of(kept), pieces);
      FinishReason finish = ran.response().finish();
      answered = finish != FinishReason.CANCELLED && finish != FinishReason.DEADLINE;
      if (answered) {
        history.add(message);
        history.add(ChatMessage.assistant(ran.response().text()));
      }
      return ran;
    } finally {
      for (Map.Entry<ShownImage, PreparedImage> image : seen.entrySet()) {
        if (!images.containsKey(image.getKey())) {
          keepOrClose(image.getKey(), image.getValue(), answered);
        }
      }
      if (cache.bytes() > options.maxCacheBytes()) {
        cache.clear();
      }
    }
  }

  private void keepOrClose(ShownImage input, PreparedImage image, boolean keep) {
    if (keep) {
      images.put(input, new SharedImage(image));
    } else {
      image.close();
    }
  }

  /** Stops the turn under way, if there is one: it returns what was said by then. */
  public void cancel() {
    running.cancel();
  }

  /** All messages so far, the system's among them. */
  public List<ChatMessage> history() {
    return exclusively(() -> List.copyOf(history));
  }

  /** Bytes kept for the next turn besides the images. */
  public long cacheBytes() {
    return cache.bytes();
  }

  /**
   * Another conversation with the same history, which goes its own way from here.
   *
   * @return it, to be closed by the caller
   */
  public Conversation fork() {
    return exclusively(
        () -> {
          PromptCache forked = cache.fork();
          Map<ShownImage, SharedImage> shared = new HashMap<>();
          images.forEach((input, image) -> shared.put(input, image.another()));
          return new Conversation(squint, options, forked, shared, new ArrayList<>(history));
        });
  }

  private void lock() {
    if (turn.isHeldByCurrentThread()) {
      throw new ModelException(
          Kind.BAD_REQUEST,
          "the conversation is used from within one of its turns; wait until that has returned");
    }
    turn.lock();
  }

  private <T> T exclusively(Supplier<T> something) {
    lock();
    try {
      if (closed) {
        throw new ModelException(Kind.BAD_REQUEST, "the conversation is closed; begin another one");
      }
      return something.get();
    } finally {
      turn.unlock();
    }
  }

  /** Frees what is kept, after the turn under way; a second call does nothing. */
  @Override
  public void close() {
    lock();
    try {
      if (!closed) {
        closed = true;
        cache.close();
        images.values().forEach(SharedImage::release);
        images.clear();
      }
    } finally {
      turn.unlock();
    }
  }
}
