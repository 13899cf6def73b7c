/** Asks the embedded model about an image and prints what pruning saved. */
package dev.squint.samples.ask;
