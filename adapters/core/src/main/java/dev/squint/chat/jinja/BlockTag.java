package dev.squint.chat.jinja;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.tag.FlexibleTag;
import com.hubspot.jinjava.lib.tag.Tag;
import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;
import com.hubspot.jinjava.tree.parse.TagToken;
import java.util.List;

/** A block as jinja2 renders it. */
final class BlockTag implements Tag, FlexibleTag {

  private static final long serialVersionUID = 1L;

  private final String name;
  private final boolean hasBody;
  private final transient Renderer renderer;
  private final transient List<Head> heads;

  /** How a block is rendered. */
  interface Renderer {
    String render(Rendering on, Head head, List<Node> body);
  }

  BlockTag(String name, boolean hasBody, List<Head> heads, Renderer renderer) {
    this.name = name;
    this.hasBody = hasBody;
    this.heads = heads;
    this.renderer = renderer;
  }

  @Override
  public String getName() {
    return name;
  }

  @Override
  public String getEndTagName() {
    return hasBody ? "end" + name : null;
  }

  @Override
  public boolean hasEndTag(TagToken token) {
    return hasBody && !(head(token) instanceof Head.Set);
  }

  Head head(TagToken token) {
    return heads.get(Integer.parseInt(token.getHelpers().trim()));
  }

  @Override
  public String interpret(TagNode node, JinjavaInterpreter interpreter) {
    Rendering on = Rendering.of(interpreter);
    List<Node> body = on.program().body(node);
    on.budget().steps(1 + body.size() / 8);
    return renderer.render(on, head((TagToken) node.getMaster()), body);
  }
}
