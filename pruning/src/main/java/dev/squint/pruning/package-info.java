/**
 * Visual-token pruning without a model: what a strategy may observe, what it selects, and what that
 * costs.
 *
 * <p>A vision-language model turns an image into visual tokens and pays for each of them in every
 * decoder layer. A strategy names the {@code sites} where tokens may leave, the small arrays it
 * must observe there, and, when it is given them, the tokens to keep. The engine that runs the
 * network applies the selection; nothing in this artifact touches a native library.
 *
 * <p>This package holds the contract, {@link dev.squint.pruning.Strategy}, and finds strategies by
 * their specs; the others hold one topic each.
 */
package dev.squint.pruning;
