package dev.squint.engine.options;

import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/** Where a model runs. */
public sealed interface ExecutionProvider {

  /** On the processor. */
  record Cpu() implements ExecutionProvider {}

  /**
   * On one NVIDIA GPU.
   *
   * @param id the device, counted from 0
   */
  record Cuda(int id) implements ExecutionProvider {
    /** Checks the device number. */
    public Cuda {
      if (id < 0) {
        throw new ModelException(
            Kind.BAD_REQUEST, "provider 'cuda:%d': a device number counts from 0".formatted(id));
      }
    }
  }

  /** On a GPU if one is usable, else on the processor, which is logged once. */
  record Auto() implements ExecutionProvider {}

  /**
   * What a library of its own brings, such as a vendor's for an NPU: ONNX Runtime's plugin
   * execution providers.
   *
   * @param library the library's file
   * @param name which of its providers; empty for all devices of its only one
   * @param options what it is told, by names of its own
   */
  record Plugin(Path library, String name, Map<String, String> options)
      implements ExecutionProvider {
    /** Copies the options. */
    public Plugin {
      library = library.toAbsolutePath().normalize();
      Objects.requireNonNull(name, "name");
      options = Map.copyOf(options);
    }
  }

  /**
   * Parses {@code cpu}, {@code cuda}, {@code cuda:ID} or {@code auto}.
   *
   * @param text the text, in any case
   * @return the provider
   * @throws ModelException if the text is none of these
   */
  static ExecutionProvider parse(String text) {
    String lower = text.strip().toLowerCase(Locale.ROOT);
    if (lower.equals("cpu")) {
      return new Cpu();
    }
    if (lower.equals("auto")) {
      return new Auto();
    }
    if (lower.equals("cuda")) {
      return new Cuda(0);
    }
    if (lower.matches("cuda:\\d{1,4}")) {
      return new Cuda(Integer.parseInt(lower.substring("cuda:".length())));
    }
    throw new ModelException(
        Kind.BAD_REQUEST,
        "unknown provider '%s': choose cpu, cuda, cuda:ID or auto".formatted(text));
  }
}
