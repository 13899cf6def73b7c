/** The {@code squint} command line, written with nothing but the public API of the adapters. */
package dev.squint.examples;
