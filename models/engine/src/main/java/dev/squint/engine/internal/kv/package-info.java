/** KV caches of a segment. */
package dev.squint.engine.internal.kv;
