/** The vision tower, and images encoded once for any number of questions. */
package dev.squint.engine.internal.vision;
