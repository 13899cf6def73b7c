/** Strategies of somebody else: they know what a jar of their own could know, and no more. */
package org.example.pruning;
