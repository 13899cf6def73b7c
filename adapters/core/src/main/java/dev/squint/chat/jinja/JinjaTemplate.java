package dev.squint.chat.jinja;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.interpret.TemplateError;
import com.hubspot.jinjava.lib.expression.ExpressionStrategy;
import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;
import com.hubspot.jinjava.tree.output.RenderedOutputNode;
import com.hubspot.jinjava.tree.parse.ExpressionToken;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A template, read and checked once. What it prints is what transformers' {@code
 * apply_chat_template} makes of it, or it is refused: what is not supported stops it. Thread-safe.
 */
public final class JinjaTemplate {

  private final Jinjava jinjava;
  private final Program program;
  private final Clock clock;

  private JinjaTemplate(Jinjava jinjava, Program program, Clock clock) {
    this.jinjava = jinjava;
    this.program = program;
    this.clock = clock;
  }

  /**
   * Reads a template, whose {@code strftime_now} gives the local time, as transformers' does.
   *
   * @param source its text
   * @throws JinjaException if it is no template, or uses what is not supported
   */
  public static JinjaTemplate compile(String source) {
    return compile(source, Clock.system(ZoneId.systemDefault()));
  }

  static JinjaTemplate compile(String source, Clock clock) {
    return guarded(
        () -> {
          SkeletonWriter writer = new SkeletonWriter(source);
          Jinjava jinjava = jinjava(writer.heads());
          JinjavaInterpreter parser = jinjava.newInterpreter();
          parser.getContext().setExpressionStrategy(new Printing());
          Node root = parser.parse(writer.skeleton());
          for (TemplateError error : parser.getErrorsCopy()) {
            throw Fault.of(
                "a block is not closed, or closed and not opened (line %d)", error.getLineno());
          }
          check(root, false);
          return new JinjaTemplate(jinjava, Program.of(root, writer), clock);
        });
  }

  private static Jinjava jinjava(List<Head> heads) {
    Jinjava jinjava =
        new Jinjava(
            JinjavaConfig.newBuilder()
                .withNestedInterpretationEnabled(false)
                .withKeepTrailingNewline(true)
                .withTokenScannerSymbols(new Symbols())
                .build());
    Blocks.all(heads).forEach(jinjava::registerTag);
    return jinjava;
  }

  /** Prints an expression by its number; nothing ever reaches jinjava's own expressions. */
  private static final class Printing implements ExpressionStrategy {

    private static final long serialVersionUID = 1L;

    @Override
    public RenderedOutputNode interpretOutput(
        ExpressionToken token, JinjavaInterpreter interpreter) {
      Rendering on = Rendering.of(interpreter);
      Expression expression = on.program().prints().get(Integer.parseInt(token.getExpr()));
      return new RenderedOutputNode(Text.of(on, on.value(expression)));
    }
  }

  /** Refuses an {@code else} or {@code break} where there is nothing of which it could be one. */
  private static void check(Node node, boolean inLoop) {
    boolean isFor = node instanceof TagNode tag && tag.getName().equals("for");
    boolean isIf = node instanceof TagNode tag && tag.getName().equals("if");
    boolean isMacro = node instanceof TagNode && !isFor && !isIf;
    boolean ended = false;
    for (Node child : node.getChildren()) {
      TagNode alternative = Blocks.alternative(child);
      if (alternative != null) {
        boolean isElse = alternative.getName().equals("else");
        if (ended || !(isIf || isFor && isElse)) {
          throw Fault.of("an '%s' stands outside of its block", alternative.getName());
        }
        ended = isElse;
      } else if (child instanceof TagNode tag
          && (tag.getName().equals("break") || tag.getName().equals("continue"))
          && !(isFor && !ended || inLoop)) {
        throw Fault.of("a '%s' stands outside of its loop", tag.getName());
      }
      check(child, isFor && !ended || inLoop && !isMacro);
    }
  }

  /**
   * Renders it.
   *
   * @param variables names and values: null, truth values, numbers, texts, lists and maps of these
   * @param letters about how many characters these have, by which rendering may cost more
   * @throws JinjaException if it stops, or costs more than a chat may
   */
  public String render(Map<String, ?> variables, long letters) {
    return guarded(
        () -> {
          LocalDateTime now = LocalDateTime.now(clock);
          Rendering rendering = new Rendering(jinjava, program, now, variables, letters);
          return rendering.body(program.body(program.root()));
        });
  }

  private static <T> T guarded(Supplier<T> something) {
    try {
      return something.get();
    } catch (StackOverflowError e) {
      throw new JinjaException("it is nested too deep", e);
    } catch (Fault e) {
      throw new JinjaException(e.getMessage(), e);
    } catch (RuntimeException e) {
      // jinjava's own, and what went wrong within one of its nodes.
      Throwable root = e;
      while (root.getCause() != null) {
        root = root.getCause();
      }
      throw new JinjaException("it fails (" + root.getClass().getSimpleName() + ")", e);
    }
  }
}
