/** LLaVA-1.5 and what shares its graphs: a tower, a projector, one grid of tokens an image. */
package dev.squint.family.llava;
