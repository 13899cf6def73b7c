/**
 * SmolVLM, SmolVLM2, Idefics3 and Granite-Docling: an image becomes a grid of tiles and all of it
 * once more in one tile, each tile as many visual tokens as any other.
 */
package dev.squint.family.idefics3;
