/** Parameters of strategies: declared, parsed from specs, checked, printed. */
package dev.squint.pruning.spec;
