/** Live tokens of a request: which they are, where they stood, which rotary position they have. */
package dev.squint.engine.internal.tokens;
