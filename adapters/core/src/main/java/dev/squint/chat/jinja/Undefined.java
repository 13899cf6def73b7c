package dev.squint.chat.jinja;

/**
 * What a name that is not known stands for: it prints nothing and is false, and anything else
 * stops.
 *
 * @param what what is missing
 */
record Undefined(String what) {}
