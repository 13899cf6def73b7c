package dev.squint.pruning;

import dev.squint.error.StrategyException;
import java.lang.ref.SoftReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.WeakHashMap;

/** Finds strategies by name and makes them from spec strings. */
public final class Strategies {

  /**
   * What each class loader was found to see. The strategies found refer to the loader that is the
   * key, so they are held softly: a loader that nobody else holds can be unloaded.
   */
  private static final Map<ClassLoader, SoftReference<List<StrategyType<?>>>> SEEN =
      Collections.synchronizedMap(new WeakHashMap<>());

  private Strategies() {}

  /**
   * Makes a strategy from its spec, {@code name} or {@code name:key=value,key=value}, or several of
   * these joined by {@code +}.
   *
   * @param spec for example {@code fastv:k=2,keep=0.5}
   * @return the strategy
   * @throws StrategyException with one sentence that names the mistake and the fix
   */
  public static Strategy parse(String spec) {
    List<StrategyType<?>> types = available();
    List<Strategy> parts = new ArrayList<>();
    for (String part : StrategySpec.parts(spec)) {
      parts.add(StrategySpec.parse(part, types).strategy());
    }
    return parts.size() == 1 ? parts.get(0) : new Composition(parts);
  }

  /**
   * Lists the strategies on the class path. Those that a class loader sees are looked for once.
   *
   * @return ordered by name
   * @throws StrategyException if two of them share a name, or one cannot be loaded
   */
  public static List<StrategyType<?>> available() {
    ClassLoader loader = loader();
    SoftReference<List<StrategyType<?>>> reference = SEEN.get(loader);
    List<StrategyType<?>> seen = reference == null ? null : reference.get();
    if (seen == null) {
      seen = seenBy(loader);
      SEEN.put(loader, new SoftReference<>(seen));
    }
    return seen;
  }

  private static List<StrategyType<?>> seenBy(ClassLoader context) {
    Map<String, StrategyType<?>> byName = new TreeMap<>();
    try {
      for (ClassLoader loader : List.of(StrategyType.class.getClassLoader(), context)) {
        for (StrategyType<?> type : ServiceLoader.load(StrategyType.class, loader)) {
          StrategyType<?> other = byName.putIfAbsent(type.name(), type);
          if (other != null && other.getClass() != type.getClass()) {
            throw new StrategyException(
                "two strategies are named '%s': %s and %s; rename one"
                    .formatted(type.name(), other.getClass().getName(), type.getClass().getName()));
          }
        }
      }
    } catch (ServiceConfigurationError e) {
      throw new StrategyException(
          "a strategy on the class path cannot be loaded: " + e.getMessage(), e);
    }
    return List.copyOf(byName.values());
  }

  /** The thread's loader where it can see this library, else the library's own. */
  private static ClassLoader loader() {
    ClassLoader context = Thread.currentThread().getContextClassLoader();
    return context != null && sees(context) ? context : StrategyType.class.getClassLoader();
  }

  private static boolean sees(ClassLoader loader) {
    try {
      return loader.loadClass(StrategyType.class.getName()) == StrategyType.class;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }
}
