/** A strategy of your own, found by its name in a spec once its jar is on the class path. */
package dev.squint.samples.strategy;
