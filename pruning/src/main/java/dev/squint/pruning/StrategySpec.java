package dev.squint.pruning;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The grammar of one strategy's spec: {@code name[:key=value[,key=value]*]}, white space allowed
 * around each part. Specs are joined by a {@code +} in front of a letter.
 */
record StrategySpec(StrategyProvider provider, ParsedParameters parameters) {

  private static final Pattern JOIN = Pattern.compile("\\+(?=\\s*\\p{Alpha})");

  /** Divides {@code first + second} into the specs of its parts. */
  static List<String> parts(String spec) {
    return spec == null ? List.of("") : List.of(JOIN.split(spec, -1));
  }

  static StrategySpec parse(String spec, List<StrategyProvider> providers) {
    List<String> names = providers.stream().map(StrategyProvider::name).toList();
    if (spec == null || spec.isBlank()) {
      throw new StrategyException(
          "the strategy is empty; choose one of " + String.join(", ", names));
    }
    int colon = spec.indexOf(':');
    String name = (colon < 0 ? spec : spec.substring(0, colon)).strip();
    StrategyProvider provider =
        providers.stream()
            .filter(candidate -> candidate.name().equals(name))
            .findFirst()
            .orElseThrow(() -> unknownStrategy(name, names));
    Map<String, String> texts =
        colon < 0 ? Map.of() : parameters(provider, spec.substring(colon + 1));
    return new StrategySpec(provider, new ParsedParameters(name, texts));
  }

  private static Map<String, String> parameters(StrategyProvider provider, String text) {
    if (text.isBlank()) {
      throw error(provider, "nothing follows the ':'; leave it out, or give key=value");
    }
    List<String> keys = provider.parameters().stream().map(Parameter::name).toList();
    Map<String, String> texts = new LinkedHashMap<>();
    for (String pair : text.split(",", -1)) {
      if (pair.isBlank()) {
        throw error(provider, "a ',' stands without a parameter beside it; take it out");
      }
      int equals = pair.indexOf('=');
      String key = (equals < 0 ? pair : pair.substring(0, equals)).strip();
      if (!keys.contains(key)) {
        throw unknownParameter(provider, key, keys);
      }
      String value = equals < 0 ? "" : pair.substring(equals + 1).strip();
      if (value.isEmpty()) {
        throw error(provider, "parameter '%s' has no value; write %s=value".formatted(key, key));
      }
      if (texts.put(key, value) != null) {
        throw error(provider, "parameter '%s' is given twice; give it once".formatted(key));
      }
    }
    return texts;
  }

  private static StrategyException unknownStrategy(String name, Collection<String> names) {
    return new StrategyException(
        "unknown strategy '%s'; %schoose one of %s"
            .formatted(name, question(name, names), String.join(", ", names)));
  }

  private static StrategyException unknownParameter(
      StrategyProvider provider, String key, Collection<String> keys) {
    String takes = keys.isEmpty() ? "It takes none" : "It takes " + String.join(", ", keys);
    return Suggestion.nearest(key, keys)
        .map(
            near ->
                error(
                    provider,
                    "unknown parameter '%s'; did you mean '%s'? %s".formatted(key, near, takes)))
        .orElseGet(
            () ->
                error(
                    provider,
                    "unknown parameter '%s'; %s"
                        .formatted(key, takes.replace("It takes", "it takes"))));
  }

  private static String question(String word, Collection<String> candidates) {
    return Suggestion.nearest(word, candidates).map("did you mean '%s'? Or "::formatted).orElse("");
  }

  private static StrategyException error(StrategyProvider provider, String sentence) {
    return new StrategyException("strategy '" + provider.name() + "': " + sentence);
  }
}
