/** What was found in the files of a model, without running anything. */
package dev.squint.onnx.report;
