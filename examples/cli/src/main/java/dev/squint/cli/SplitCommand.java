package dev.squint.cli;

import dev.squint.error.StrategyException;
import dev.squint.onnx.split.ModelSplitter;
import dev.squint.onnx.split.SplitOptions;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.observe.Heads;
import dev.squint.pruning.observe.Observe;
import dev.squint.pruning.observe.Rows;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "split",
    description = "Writes a decoder in segments, with a manifest for other programs.",
    mixinStandardHelpOptions = true)
final class SplitCommand implements Runnable {

  private static final Pattern SHORT = Pattern.compile("([a-z]+):(\\d{1,6})");
  private static final Pattern BETWEEN = Pattern.compile(",(?=[a-z]+:)");

  @Mixin private ModelArgument model;

  @Option(
      names = "--at",
      required = true,
      split = ",",
      paramLabel = "LAYER",
      description = "Layers before which to split, such as 2,6,15.")
  private List<Integer> splits;

  @Option(
      names = "--tap",
      paramLabel = "WHAT",
      description =
          "What to observe: attention:1, heads:1, hidden:1 or keys:1 for layer 1, several with commas; or an expression such as norm(decoder.1.v[visual],head-width).")
  private List<String> taps = List.of();

  @Option(
      names = "--given-positions",
      description = "Take rotary positions from outside, also where the file counts them.")
  private boolean givenPositions;

  @Option(names = "--copy", description = "Copy the weights instead of linking their files.")
  private boolean copy;

  @Option(names = "--force", description = "Replace the folder if a split has written it.")
  private boolean force;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      description = "Where to; without it into the cache, where the same split is made once.")
  private Path out;

  @Mixin private CacheOption cache;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    Set<Integer> once = new HashSet<>();
    for (int layer : splits) {
      if (!once.add(layer)) {
        throw new ParameterException(
            spec.commandLine(), "--at names layer %d twice; name each layer once".formatted(layer));
      }
    }
    SplitOptions options =
        SplitOptions.at(new TreeSet<>(splits))
            .taps(expressions())
            .givenPositions(givenPositions)
            .copyWeights(copy)
            .replace(force)
            .build();
    Path folder =
        out == null
            ? ModelSplitter.splitCached(model.path(), model.precision(), options, cache.folder())
            : ModelSplitter.split(model.path(), model.precision(), options, out);
    PrintWriter print = spec.commandLine().getOut();
    print.println(folder);
    print.flush();
  }

  private List<Expression> expressions() {
    return taps.stream().flatMap(BETWEEN::splitAsStream).map(this::expression).toList();
  }

  private Expression expression(String text) {
    Matcher known = SHORT.matcher(text);
    try {
      return known.matches()
          ? expression(known.group(1), Integer.parseInt(known.group(2)))
          : Expression.parse(text);
    } catch (StrategyException e) {
      throw new ParameterException(
          spec.commandLine(),
          "a tap is attention, heads, hidden or keys with a layer, such as attention:1, or an expression: "
              + e.getMessage());
    }
  }

  private static Expression expression(String what, int layer) {
    return switch (what) {
      case "attention" -> Observe.textToVisualAttention(layer, Rows.TEXT);
      case "heads" -> Observe.textToVisualAttention(layer, Rows.TEXT, Heads.EACH);
      case "hidden" -> Observe.hiddenStates(layer);
      case "keys" -> Observe.keys(layer);
      default -> throw new StrategyException("there is no tap '%s'".formatted(what));
    };
  }
}
