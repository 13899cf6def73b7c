/**
 * Renders Jinja as Python's jinja2 does with the options of transformers, on jinjava.
 *
 * <p>jinjava scans the template, builds its tree and dispatches its tags. What decides the text is
 * our own, through jinjava's extension points: {@link dev.squint.chat.jinja.SkeletonWriter} applies
 * jinja2's white space rules before jinjava sees the source, tags follow jinja2's scopes, and
 * expressions follow Python, since jinjava's own print, compare, slice and call differently and
 * pass over what they cannot do. No expression of a template reaches jinjava, so neither Java
 * classes nor files can be reached from one, and nothing that a template prints is read as a
 * template again.
 */
package dev.squint.chat.jinja;
