/**
 * How a chat is put to a model: with the chat template that its folder holds, found and rendered as
 * the processor of transformers does.
 */
package dev.squint.chat;
