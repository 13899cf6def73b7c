/**
 * The strategies that come with Squint, one short file each.
 *
 * <p>Each is a record of its parameters with a nested provider, registered as a service. {@code
 * none}, {@code random} and {@code uniform} are the baselines that a scoring rule has to beat; the
 * others follow a paper, named in their Javadoc, and where paper and published code disagree, the
 * Javadoc says which one is followed.
 */
package dev.squint.pruning.strategies;
