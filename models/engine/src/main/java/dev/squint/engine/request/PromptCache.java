package dev.squint.engine.request;

/**
 * What a request leaves behind for the next: the KV caches of the prompt and answer, each segment's
 * with its own length. The next request that gets it runs only the tokens after the longest
 * beginning that the two share. Made by {@code VisionLanguageModel.newCache}, for that model; used
 * by one request at a time.
 *
 * <p>A beginning is shared only with all images of the earlier prompt in it and none after it, for
 * the same strategy; else the request runs whole, and the cache is filled anew. KV cache strategies
 * always run whole.
 */
public interface PromptCache extends AutoCloseable {

  /** Tokens of the prompt and answer that it holds, pruned ones counted; 0 if it is empty. */
  int tokens();

  /** Native memory that it holds. */
  long bytes();

  /** Another one with the same content, which goes its own way from here. */
  PromptCache fork();

  /** Frees its memory; it may be used again, empty. */
  void clear();

  /** Frees its memory; a second call does nothing. */
  @Override
  void close();
}
