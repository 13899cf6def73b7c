/** What comparison and search share: how questions are put, and files written whole. Not API. */
package dev.squint.evaluation.internal;
