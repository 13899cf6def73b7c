/** Qwen2-VL, Qwen2.5-VL and Qwen3-VL: images of any size as patches, resized to whole tokens. */
package dev.squint.family.qwenvl;
