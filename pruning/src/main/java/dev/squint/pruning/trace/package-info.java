/** The record of one request: what was dropped where, how long it took, what it saved. */
package dev.squint.pruning.trace;
