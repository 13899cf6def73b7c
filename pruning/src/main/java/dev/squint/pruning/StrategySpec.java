package dev.squint.pruning;

import dev.squint.error.StrategyException;
import dev.squint.pruning.spec.Parameter;
import dev.squint.pruning.spec.ParsedParameters;
import dev.squint.pruning.spec.Suggestion;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The grammar of one strategy's spec: {@code name[:key=value[,key=value]*]}, white space allowed
 * around each part. Specs are joined by a {@code +} in front of a letter.
 */
record StrategySpec(StrategyType<?> type, ParsedParameters parameters) {

  private static final Pattern JOIN = Pattern.compile("\\+(?=\\s*\\p{Alpha})");

  Strategy strategy() {
    return type.create(parameters);
  }

  /** Divides {@code first + second} into the specs of its parts. */
  static List<String> parts(String spec) {
    return spec == null ? List.of("") : List.of(JOIN.split(spec, -1));
  }

  static StrategySpec parse(String spec, List<StrategyType<?>> types) {
    List<String> names = types.stream().map(StrategyType::name).toList();
    if (spec == null || spec.isBlank()) {
      throw new StrategyException(
          "the strategy is empty; choose one of " + String.join(", ", names));
    }
    int colon = spec.indexOf(':');
    String name = (colon < 0 ? spec : spec.substring(0, colon)).strip();
    StrategyType<?> type =
        types.stream()
            .filter(candidate -> candidate.name().equals(name))
            .findFirst()
            .orElseThrow(() -> unknownStrategy(name, names));
    Map<String, String> texts = colon < 0 ? Map.of() : parameters(type, spec.substring(colon + 1));
    return new StrategySpec(type, new ParsedParameters(name, texts));
  }

  private static Map<String, String> parameters(StrategyType<?> type, String text) {
    if (text.isBlank()) {
      throw error(type, "nothing follows the ':'; leave it out, or give key=value");
    }
    List<String> keys = type.parameters().stream().map(Parameter::name).toList();
    Map<String, String> texts = new LinkedHashMap<>();
    for (String pair : text.split(",", -1)) {
      if (pair.isBlank()) {
        throw error(type, "a ',' stands without a parameter next to it; take it out");
      }
      int equals = pair.indexOf('=');
      String key = (equals < 0 ? pair : pair.substring(0, equals)).strip();
      if (!keys.contains(key)) {
        throw unknownParameter(type, key, keys);
      }
      String value = equals < 0 ? "" : pair.substring(equals + 1).strip();
      if (value.isEmpty()) {
        throw error(type, "parameter '%s' has no value; write %s=value".formatted(key, key));
      }
      if (texts.put(key, value) != null) {
        throw error(type, "parameter '%s' is given twice; give it once".formatted(key));
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
      StrategyType<?> type, String key, Collection<String> keys) {
    String takes = keys.isEmpty() ? "It takes none" : "It takes " + String.join(", ", keys);
    return Suggestion.nearest(key, keys)
        .map(
            near ->
                error(
                    type,
                    "unknown parameter '%s'; did you mean '%s'? %s".formatted(key, near, takes)))
        .orElseGet(
            () ->
                error(
                    type,
                    "unknown parameter '%s'; %s"
                        .formatted(key, takes.replace("It takes", "it takes"))));
  }

  private static String question(String word, Collection<String> candidates) {
    return Suggestion.nearest(word, candidates).map("did you mean '%s'? Or "::formatted).orElse("");
  }

  private static StrategyException error(StrategyType<?> type, String sentence) {
    return new StrategyException("strategy '" + type.name() + "': " + sentence);
  }
}
