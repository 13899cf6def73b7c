package dev.squint.chat.jinja;

import java.util.List;

/**
 * Keys, values or items of a mapping.
 *
 * @param name how Python prints it
 * @param items what it holds
 */
record View(String name, List<Object> items) {}
