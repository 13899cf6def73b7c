package dev.squint.hub;

/** Is told how far a download has come, from several threads, one call at a time. */
public interface HubListener {

  /** Hears nothing. */
  HubListener NONE = new HubListener() {};

  /**
   * Called once it is known what is missing.
   *
   * @param files how many files are downloaded
   * @param bytes how many bytes they have that are not there yet
   */
  default void onStart(int files, long bytes) {}

  /**
   * Called as bytes arrive.
   *
   * @param bytes how many have arrived since the start; fewer than before where a part was wrong
   *     and is downloaded again
   */
  default void onProgress(long bytes) {}

  /**
   * Called for what a user should know, such as that the hub is not reached and the cache is used.
   */
  default void onNote(String sentence) {}
}
