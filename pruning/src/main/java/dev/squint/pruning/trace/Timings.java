package dev.squint.pruning.trace;

/**
 * Where the time of a request went, in nanoseconds.
 *
 * @param visionNanos vision tower and projector
 * @param prefillNanos prompt through the decoder up to the first logits, deciding included
 * @param selectionNanos deciding what to keep, all sites together
 * @param decodeNanos all tokens after the first
 * @param generatedTokens tokens generated, the end of sequence not counted
 */
public record Timings(
    long visionNanos,
    long prefillNanos,
    long selectionNanos,
    long decodeNanos,
    int generatedTokens) {}
