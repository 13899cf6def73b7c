/** What is changed in the process that uses this library, beyond its own objects. */
package dev.squint.engine.internal.host;
