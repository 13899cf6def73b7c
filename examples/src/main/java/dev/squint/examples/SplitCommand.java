package dev.squint.examples;

import dev.squint.models.ModelSplitter;
import dev.squint.models.graph.Tap;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

@Command(
    name = "split",
    description = "Writes a decoder in segments, with a manifest for other programs.",
    mixinStandardHelpOptions = true)
final class SplitCommand implements Runnable {

  @Mixin private ModelArgument model;

  @Option(
      names = "--at",
      required = true,
      split = ",",
      paramLabel = "LAYER",
      description = "Layers before which to cut, such as 2,6,15.")
  private List<Integer> cuts;

  @Option(
      names = "--tap",
      split = ",",
      paramLabel = "WHAT:LAYER",
      converter = TapConverter.class,
      description = "What to hand out: attention, heads, hidden or keys of a layer.")
  private List<Tap> taps = List.of();

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
    for (int cut : cuts) {
      if (!once.add(cut)) {
        throw new ParameterException(
            spec.commandLine(), "--at names layer %d twice; name each cut once".formatted(cut));
      }
    }
    ModelSplitter.Options options =
        new ModelSplitter.Options(new TreeSet<>(cuts), taps, givenPositions, copy, force);
    Path folder =
        out == null
            ? ModelSplitter.splitCached(model.path(), model.precision(), options, cache.folder())
            : ModelSplitter.split(model.path(), model.precision(), options, out);
    PrintWriter print = spec.commandLine().getOut();
    print.println(folder);
    print.flush();
  }

  static final class TapConverter implements ITypeConverter<Tap> {
    @Override
    public Tap convert(String text) {
      String[] parts = text.split(":", -1);
      if (parts.length == 2 && parts[1].matches("\\d{1,6}")) {
        int layer = Integer.parseInt(parts[1]);
        switch (parts[0]) {
          case "attention":
            return new Tap.Attention(layer, false);
          case "heads":
            return new Tap.Attention(layer, true);
          case "hidden":
            return new Tap.HiddenStates(layer);
          case "keys":
            return new Tap.Keys(layer);
          default:
            break;
        }
      }
      throw new TypeConversionException(
          "a tap is attention, heads, hidden or keys with a layer, such as attention:1, not '%s'"
              .formatted(text));
    }
  }
}
