/**
 * Model families and frameworks around the engine: pictures to pixel values, questions to prompts,
 * tokens to text.
 */
package dev.squint.adapters;
