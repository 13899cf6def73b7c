/** The comparison runner: every strategy at every budget on every question. */
package dev.squint.evaluation.compare;
