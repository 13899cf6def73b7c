package dev.squint.cli;

import dev.squint.pruning.Strategies;
import dev.squint.pruning.Strategy;
import dev.squint.pruning.StrategyType;
import dev.squint.pruning.cache.KvCachePlan;
import dev.squint.pruning.observe.Expression;
import dev.squint.pruning.shape.DecoderShape;
import dev.squint.pruning.shape.ModelShape;
import dev.squint.pruning.shape.VisionShape;
import dev.squint.pruning.site.SitePlan;
import dev.squint.pruning.spec.Parameter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * One strategy of the listing, with what it does on LLaVA-1.5-7B as its plan says it.
 *
 * @param type its descriptor
 * @param spec its canonical spec
 * @param sites its plan
 * @param cache its plan for the KV cache
 */
record StrategyEntry(
    StrategyType<?> type, String spec, List<SitePlan> sites, Optional<KvCachePlan> cache) {

  static final String MODEL = "LLaVA-1.5-7B";
  private static final ModelShape LLAVA =
      new ModelShape(
          MODEL,
          DecoderShape.builder()
              .layers(32)
              .hidden(4096)
              .heads(32)
              .kvHeads(32)
              .headDim(128)
              .intermediate(11008)
              .vocabulary(32064)
              .build(),
          VisionShape.builder()
              .layers(23)
              .hidden(1024)
              .heads(16)
              .intermediate(4096)
              .grid(24, 24)
              .patchDim(588)
              .cls(true)
              .projectorHidden(4096)
              .build(),
          576);
  private static final Pattern LAYER = Pattern.compile("layer (\\d+)");

  /** With its defaults. */
  static StrategyEntry of(StrategyType<?> type) {
    return of(type, Strategies.parse(type.name()));
  }

  static StrategyEntry of(StrategyType<?> type, Strategy strategy) {
    return new StrategyEntry(type, strategy.spec(), strategy.plan(LLAVA), strategy.cache(LLAVA));
  }

  String inShort() {
    Rows rows = new Rows();
    rows.add(type.name(), "%s", type.summary());
    rows.add("  paper", "%s", type.paper());
    rows.add("  sites", "%s", places());
    rows.add("  observes", "%s", observed(sites));
    rows.add(
        "  parameters",
        "%s",
        joined(", ", type.parameters().stream().map(StrategyEntry::brief).toList()));
    return rows.toString();
  }

  String inFull() {
    Rows rows = new Rows();
    rows.add(type.name(), "%s", type.summary());
    rows.add("paper", "%s", type.paper());
    rows.add("spec", "%s", spec);
    for (Parameter<?> parameter : type.parameters()) {
      rows.add(
          "parameter",
          "%s: %s; %s; default %s",
          parameter.name(),
          parameter.summary(),
          parameter.range(),
          parameter.defaultValue().orElse("unset"));
    }
    rows.add("on " + MODEL, "%s", places());
    for (SitePlan site : sites) {
      rows.add(
          "site",
          "%s: %s tokens, %s positions",
          site.site(),
          site.merges() ? "drops and merges" : "drops",
          site.positions().name().toLowerCase(Locale.ROOT));
      rows.add("  observes", "%s", observed(List.of(site)));
    }
    return rows.toString();
  }

  private static String brief(Parameter<?> parameter) {
    return parameter.name() + parameter.defaultValue().map("="::concat).orElse("");
  }

  private String places() {
    List<String> places =
        new ArrayList<>(sites.stream().map(site -> site.site().toString()).toList());
    cache.ifPresent(plan -> places.add("KV cache after the prefill"));
    return joined(", ", places);
  }

  /** What is observed, the same of several layers named once. */
  private static String observed(List<SitePlan> sites) {
    Map<String, TreeSet<Integer>> layers = new TreeMap<>();
    for (SitePlan site : sites) {
      for (Expression need : site.needs()) {
        Matcher layer = LAYER.matcher(need.toString());
        TreeSet<Integer> seen =
            layers.computeIfAbsent(layer.replaceFirst("layer #"), key -> new TreeSet<>());
        if (layer.reset().find()) {
          seen.add(Integer.valueOf(layer.group(1)));
        }
      }
    }
    return joined("; ", layers.entrySet().stream().map(StrategyEntry::atLayers).toList());
  }

  private static String atLayers(Map.Entry<String, TreeSet<Integer>> need) {
    String numbers = joined(", ", need.getValue().stream().map(Object::toString).toList());
    String word = need.getValue().size() > 1 ? "layers " : "layer ";
    return need.getKey().replace("layer #", word + numbers);
  }

  private static String joined(String between, Collection<String> parts) {
    return parts.isEmpty() ? "none" : parts.stream().collect(Collectors.joining(between));
  }
}
