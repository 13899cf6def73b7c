/**
 * Evaluation of vision-language models and of services around them: question sets ({@code data}),
 * metrics, {@link dev.squint.evaluation.compare.Comparison comparison} with its report, and {@link
 * dev.squint.evaluation.search.ScheduleSearch schedule search}. This package holds what callers
 * implement or catch.
 */
package dev.squint.evaluation;
