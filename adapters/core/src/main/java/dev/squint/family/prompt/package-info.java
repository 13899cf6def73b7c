/** Prompts as the processors of transformers make them, for every family. */
package dev.squint.family.prompt;
