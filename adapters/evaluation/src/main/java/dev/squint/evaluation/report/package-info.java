/** What a comparison says, as tables, plots and a page. */
package dev.squint.evaluation.report;
