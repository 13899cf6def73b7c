/**
 * Questions about images, answered by vision-language models with visual tokens pruned: {@link
 * dev.squint.Squint} is where to start.
 *
 * <p>Nothing here uses the network. The tokenizer library would, so loading a model sets the system
 * properties {@code RUST_FLAVOR=cpu} and {@code OPT_OUT_TRACKING=true} unless the host has set
 * them, there or in the environment.
 */
package dev.squint;
