package dev.squint.pruning.trace;

/**
 * Where the time of a request went, in nanoseconds.
 *
 * @param queueNanos waiting until the engine had room
 * @param preprocessingNanos decoding and resizing images, rendering and tokenizing the prompt
 * @param visionNanos vision tower and projector
 * @param prefillNanos prompt through the decoder up to the first logits, deciding included
 * @param selectionNanos deciding what to keep, all sites together
 * @param decodeNanos all tokens after the first
 * @param generatedTokens tokens generated, the end of sequence not counted
 */
public record Timings(
    long queueNanos,
    long preprocessingNanos,
    long visionNanos,
    long prefillNanos,
    long selectionNanos,
    long decodeNanos,
    int generatedTokens) {}
