package dev.squint.chat.jinja;

import java.util.List;

/** The {@code loop} of a {@code for}. */
final class LoopState {

  private final List<Object> items;
  private int index = -1;
  private Object lastChanged = Arguments.NONE;

  LoopState(List<Object> items) {
    this.items = items;
  }

  boolean next() {
    return ++index < items.size();
  }

  Object item() {
    return items.get(index);
  }

  Object get(String name) {
    long size = items.size();
    return switch (name) {
      case "index" -> index + 1L;
      case "index0" -> (long) index;
      case "revindex" -> size - index;
      case "revindex0" -> size - index - 1;
      case "first" -> index == 0;
      case "last" -> index == size - 1;
      case "length" -> size;
      case "depth" -> 1L;
      case "depth0" -> 0L;
      case "previtem" ->
          index == 0 ? new Undefined("there is no previous item") : items.get(index - 1);
      case "nextitem" ->
          index == size - 1 ? new Undefined("there is no next item") : items.get(index + 1);
      case "cycle" ->
          (Callable)
              (on, given) -> {
                if (given.positional().isEmpty()) {
                  throw Fault.of("loop.cycle() has nothing to go through");
                }
                return given.positional().get(index % given.positional().size());
              };
      case "changed" ->
          (Callable)
              (on, given) -> {
                Object now = new Tuple(given.positional());
                boolean changed =
                    lastChanged == Arguments.NONE || !Comparing.equal(on, now, lastChanged);
                lastChanged = now;
                return changed;
              };
      default -> new Undefined("loop." + name);
    };
  }
}
