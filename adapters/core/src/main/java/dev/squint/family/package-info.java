/** Model families: what a question and an image become for a model, by its {@code model_type}. */
package dev.squint.family;
