/** Prefill, decode steps and the next token. */
package dev.squint.engine.internal.generate;
