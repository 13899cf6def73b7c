/**
 * Vision-language models exported to ONNX, split at decoder layer boundaries and run on ONNX
 * Runtime.
 */
package dev.squint.models;
