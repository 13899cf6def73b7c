/** Question sets in the formats that people have, read as they are. */
package dev.squint.evaluation.data;
