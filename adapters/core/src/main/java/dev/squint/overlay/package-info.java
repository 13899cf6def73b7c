/** Images of which visual tokens a request kept. */
package dev.squint.overlay;
