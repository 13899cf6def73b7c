/** Files of a model folder, and what its configuration says of the model. */
package dev.squint.onnx.config;
