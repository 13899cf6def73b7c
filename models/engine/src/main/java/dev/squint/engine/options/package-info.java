/** How a model is loaded. */
package dev.squint.engine.options;
