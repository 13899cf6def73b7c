/** What each position of a prompt is: text, or a visual token of an image, tile, row and column. */
package dev.squint.pruning.layout;
