package dev.squint.pruning;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** Finds strategies by name and makes them from spec strings. */
public final class Strategies {

  private Strategies() {}

  /**
   * Makes a strategy from its spec, {@code name} or {@code name:key=value,key=value}, or several of
   * these joined by {@code +}.
   *
   * @param spec for example {@code fastv:k=2,keep=0.5}
   * @return the strategy
   * @throws StrategyException with one sentence that names the mistake and the mend
   */
  public static Strategy parse(String spec) {
    List<StrategyProvider> providers = available();
    List<Strategy> parts = new ArrayList<>();
    for (String part : StrategySpec.parts(spec)) {
      StrategySpec parsed = StrategySpec.parse(part, providers);
      parts.add(parsed.provider().create(parsed.parameters()));
    }
    return parts.size() == 1 ? parts.get(0) : new Composition(parts);
  }

  /**
   * Lists the strategies on the class path.
   *
   * @return ordered by name
   * @throws StrategyException if two of them share a name, or one cannot be loaded
   */
  public static List<StrategyProvider> available() {
    Map<String, StrategyProvider> byName = new TreeMap<>();
    try {
      for (ClassLoader loader : loaders()) {
        for (StrategyProvider provider : ServiceLoader.load(StrategyProvider.class, loader)) {
          StrategyProvider other = byName.putIfAbsent(provider.name(), provider);
          if (other != null && other.getClass() != provider.getClass()) {
            throw new StrategyException(
                "two strategies are named '%s': %s and %s; rename one"
                    .formatted(
                        provider.name(),
                        other.getClass().getName(),
                        provider.getClass().getName()));
          }
        }
      }
    } catch (ServiceConfigurationError e) {
      StrategyException broken =
          new StrategyException("a strategy on the class path cannot be loaded: " + e.getMessage());
      broken.initCause(e);
      throw broken;
    }
    return List.copyOf(byName.values());
  }

  /** The library's own loader, and the thread's where it can see this interface. */
  private static List<ClassLoader> loaders() {
    List<ClassLoader> loaders = new ArrayList<>();
    loaders.add(StrategyProvider.class.getClassLoader());
    ClassLoader context = Thread.currentThread().getContextClassLoader();
    if (context != null && context != loaders.get(0) && sees(context)) {
      loaders.add(context);
    }
    return loaders;
  }

  private static boolean sees(ClassLoader loader) {
    try {
      return loader.loadClass(StrategyProvider.class.getName()) == StrategyProvider.class;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }
}
