/** Streams, futures, conversations and batches over one loaded model. */
package dev.squint.samples.chat;
