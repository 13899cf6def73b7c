/** The {@code squint} command line, written with nothing but the public API of the library. */
package dev.squint.cli;
