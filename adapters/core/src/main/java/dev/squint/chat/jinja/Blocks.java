package dev.squint.chat.jinja;

import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;
import com.hubspot.jinjava.tree.parse.TagToken;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** jinja2's blocks and their scopes. */
final class Blocks {

  private Blocks() {}

  static List<BlockTag> all(List<Head> heads) {
    return List.of(
        new BlockTag("if", true, heads, Blocks::choose),
        new BlockTag("elif", false, heads, Blocks::misplaced),
        new BlockTag("else", false, heads, Blocks::misplaced),
        new BlockTag("for", true, heads, Blocks::loop),
        new BlockTag("break", false, heads, (on, head, body) -> leave(on, Rendering.Leaving.LOOP)),
        new BlockTag(
            "continue", false, heads, (on, head, body) -> leave(on, Rendering.Leaving.ITEM)),
        new BlockTag("set", true, heads, Blocks::set),
        new BlockTag("macro", true, heads, Blocks::macro),
        new BlockTag("call", true, heads, Blocks::call),
        new BlockTag(
            "filter",
            true,
            heads,
            (on, head, body) -> Text.of(on, filtered(on, ((Head.Filtered) head).filtered(), body))),
        new BlockTag("with", true, heads, Blocks::with),
        new BlockTag(
            "generation", true, heads, (on, head, body) -> on.within(() -> on.body(body))));
  }

  private static String misplaced(Rendering on, Head head, List<Node> body) {
    throw Fault.of("an 'else' or 'elif' stands outside of its block");
  }

  private static String leave(Rendering on, Rendering.Leaving what) {
    on.leave(what);
    return "";
  }

  /** The parts of a body that {@code elif} and {@code else} cut. */
  private static String choose(Rendering on, Head head, List<Node> body) {
    boolean taken = Values.truth(on.value(((Head.If) head).condition()));
    int start = 0;
    for (int i = 0; i <= body.size(); i++) {
      TagNode cut = i < body.size() ? alternative(body.get(i)) : null;
      if (i < body.size() && cut == null) {
        continue;
      }
      if (taken) {
        return on.body(body.subList(start, i));
      }
      if (cut != null) {
        start = i + 1;
        Head next = ((BlockTag) cut.getTag()).head((TagToken) cut.getMaster());
        taken = !(next instanceof Head.If other) || Values.truth(on.value(other.condition()));
      }
    }
    return "";
  }

  /** A node that is an {@code elif} or {@code else}, or null. */
  static TagNode alternative(Node node) {
    return node instanceof TagNode tag
            && (tag.getName().equals("else") || tag.getName().equals("elif"))
        ? tag
        : null;
  }

  private static String loop(Rendering on, Head head, List<Node> body) {
    Head.For each = (Head.For) head;
    int end = 0;
    while (end < body.size() && alternative(body.get(end)) == null) {
      end++;
    }
    List<Node> again = body.subList(0, end);
    List<Node> otherwise = body.subList(Math.min(body.size(), end + 1), body.size());
    LoopState loop = new LoopState(picked(on, each));
    StringBuilder out = new StringBuilder();
    boolean any = false;
    while (loop.next()) {
      any = true;
      String text =
          on.within(
              () -> {
                on.scope().set("loop", loop);
                each.target().assign(on, loop.item());
                return on.body(again);
              });
      on.budget().characters(text.length());
      out.append(text);
      if (on.left() == Rendering.Leaving.LOOP) {
        break;
      }
    }
    return any ? out.toString() : on.within(() -> on.body(otherwise));
  }

  private static List<Object> picked(Rendering on, Head.For each) {
    Object items = on.value(each.items());
    List<Object> picked = new ArrayList<>();
    for (Iterator<Object> i = Values.iterate(on, items); i.hasNext(); ) {
      Object item = i.next();
      on.budget().steps(1);
      boolean taken =
          each.condition() == null
              || on.within(
                  () -> {
                    each.target().assign(on, item);
                    return Values.truth(on.value(each.condition()));
                  });
      if (taken) {
        picked.add(item);
      }
    }
    return picked;
  }

  private static String set(Rendering on, Head head, List<Node> body) {
    if (head instanceof Head.Set set) {
      set.target().assign(on, on.value(set.value()));
    } else if (head instanceof Head.SetBody set) {
      set.target().assign(on, filtered(on, set.filtered(), body));
    }
    return "";
  }

  private static Object filtered(Rendering on, Expression filtered, List<Node> body) {
    return on.within(
        () -> {
          String text = on.body(body);
          on.scope().set(Head.BODY, text);
          return on.value(filtered);
        });
  }

  private static String macro(Rendering on, Head head, List<Node> body) {
    Head.MacroOf macro = (Head.MacroOf) head;
    on.scope().set(macro.name(), new Macro(macro.name(), macro.parameters(), body, on.scope()));
    return "";
  }

  private static String call(Rendering on, Head head, List<Node> body) {
    Head.CallOf call = (Head.CallOf) head;
    Arguments given = call.call().arguments().values(on);
    Map<String, Object> named = new LinkedHashMap<>(given.named());
    named.put("caller", new Macro("caller", call.parameters(), body, on.scope()));
    Object text = call.call().call(on, new Arguments(given.to(), given.positional(), named));
    return Text.of(on, text);
  }

  private static String with(Rendering on, Head head, List<Node> body) {
    Head.With with = (Head.With) head;
    List<Object> values = new ArrayList<>();
    for (Expression value : with.values()) {
      values.add(on.value(value));
    }
    return on.within(
        () -> {
          for (int i = 0; i < values.size(); i++) {
            with.targets().get(i).assign(on, values.get(i));
          }
          return on.body(body);
        });
  }
}
