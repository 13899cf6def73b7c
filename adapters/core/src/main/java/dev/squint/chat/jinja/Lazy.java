package dev.squint.chat.jinja;

import java.util.Iterator;
import java.util.List;

/** What Python makes as a generator: true, without a length, and gone through once. */
final class Lazy implements Iterator<Object> {

  private final Iterator<Object> items;

  Lazy(List<Object> items) {
    this.items = items.iterator();
  }

  @Override
  public boolean hasNext() {
    return items.hasNext();
  }

  @Override
  public Object next() {
    return items.next();
  }
}
