/** What was found in the files of a model, and which strategies can act on it. */
package dev.squint.engine.inspect;
