package dev.squint.evaluation.metrics;

/**
 * Where the true value lies with 95 % confidence.
 *
 * @param low lower end
 * @param high upper end
 */
public record Interval(double low, double high) {}
