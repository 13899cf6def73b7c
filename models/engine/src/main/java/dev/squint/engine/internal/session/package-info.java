/** Parts of a model, opened once and shared by all requests. */
package dev.squint.engine.internal.session;
