package dev.squint.chat.jinja;

/**
 * A text that was escaped or called safe. It is printed; jinja2 escapes what is joined to it, so
 * here nothing is.
 */
record Markup(String text) {}
