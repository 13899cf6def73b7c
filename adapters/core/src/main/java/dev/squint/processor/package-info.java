/** Image processors of model folders: images to pixel values, as transformers makes them. */
package dev.squint.processor;
