/**
 * Models from a hub: any endpoint that speaks as Hugging Face's does, into the cache that its own
 * library shares.
 */
package dev.squint.hub;
