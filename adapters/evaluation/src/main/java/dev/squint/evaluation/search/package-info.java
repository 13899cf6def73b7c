/** Search for schedules of visual tokens on questions with known answers. */
package dev.squint.evaluation.search;
