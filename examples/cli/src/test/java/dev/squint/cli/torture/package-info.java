/**
 * Hostile input in quantity: seeded mutations of images, graphs, JSON and tokenizers, each run in a
 * child process that is watched for time, memory and death. A short part runs in every build, the
 * long one with {@code -Ptorture}.
 */
package dev.squint.cli.torture;
