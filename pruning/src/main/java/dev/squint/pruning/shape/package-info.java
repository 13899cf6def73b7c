/** Shapes of a model as far as strategies and costs depend on them. */
package dev.squint.pruning.shape;
