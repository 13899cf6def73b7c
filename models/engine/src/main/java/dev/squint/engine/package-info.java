/**
 * Vision-language models that somebody exported to ONNX, run on ONNX Runtime with visual tokens
 * dropped on the way.
 *
 * <p>{@link dev.squint.engine.VisionLanguageModel} is the way in: it opens a model folder, and
 * {@link dev.squint.engine.VisionLanguageModel#generate} answers a prompt under a strategy of
 * {@code dev.squint.pruning}. The strategy names sites and what it must observe there; the decoder
 * is split at those sites and observed there, nowhere else, and every call reports in its trace
 * what was dropped and what it cost.
 *
 * <p>Hidden states and KV caches never pass through the Java heap: a result tensor of one segment
 * is an input of the next. What does reach Java are the few hundred numbers a strategy asked for
 * and the logits of the last position.
 *
 * <p>What cannot work is refused with a {@link dev.squint.error.ModelException}, before any native
 * call where it can be known.
 */
package dev.squint.engine;
