/** The tokenizer of a model folder, its parts checked before native code sees them. */
package dev.squint.tokenizer;
