/**
 * The one place that touches ONNX Runtime's process-wide state.
 *
 * <p>{@link dev.squint.models.runtime.OrtRuntime} owns the environment, which a process can have
 * only once and whose thread pool is fixed by whoever asks first; it therefore copes with every
 * order in which host, DJL and this library may start. {@link dev.squint.models.runtime.Device}
 * settles where sessions run before any model is loaded. {@link
 * dev.squint.models.runtime.TensorScope} owns native tensors and counts them, so that a test can
 * see that none is left behind.
 */
package dev.squint.models.runtime;
