/** LLaVA-OneVision and LLaVA-NeXT: large images in tiles, and the whole image as one more. */
package dev.squint.family.anyres;
