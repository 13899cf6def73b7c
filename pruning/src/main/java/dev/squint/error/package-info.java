/** What Squint refuses and why: exceptions that a host can tell apart. */
package dev.squint.error;
