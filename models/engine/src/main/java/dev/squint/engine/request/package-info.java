/** What a model is given and what it answers. */
package dev.squint.engine.request;
