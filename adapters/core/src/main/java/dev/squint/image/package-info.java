/** Images: recognised, checked, decoded and resized as Pillow does. */
package dev.squint.image;
