package dev.squint.evaluation.data;

/**
 * A medium as a record names it.
 *
 * @param name the record's own name of it: the same wherever the data set lies
 * @param medium what was found under the name
 */
record NamedMedia(String name, MediaSource medium) {

  private static final String ABSOLUTE = "(/|[A-Za-z]:/).*";

  /** Makes names alike across machines: no backslashes, no folders of one machine. */
  NamedMedia {
    name = name.replace('\\', '/');
    if (name.matches(ABSOLUTE)) {
      name = name.substring(name.lastIndexOf('/') + 1);
    }
  }
}
