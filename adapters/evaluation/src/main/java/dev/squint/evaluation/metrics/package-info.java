/** Scores of answers as the field computes them, and how sure they are. */
package dev.squint.evaluation.metrics;
