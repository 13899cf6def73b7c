/** Images encoded once for any number of questions. */
package dev.squint.engine.vision;
