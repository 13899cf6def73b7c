package dev.squint.engine.internal.ort;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtEpDevice;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.squint.engine.options.ExecutionProvider;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The execution providers that libraries have brought into this process; each is loaded once. */
final class PluginProviders {

  private static final Logger LOG = LoggerFactory.getLogger(PluginProviders.class);
  private static final String REGISTRATION = "squint-";

  private final OrtRuntime runtime;
  private final Map<Path, List<OrtEpDevice>> loaded = new HashMap<>();

  PluginProviders(OrtRuntime runtime) {
    this.runtime = runtime;
  }

  /**
   * The devices of a plugin, on which a tiny session could be opened.
   *
   * @throws ModelException if the library or its provider cannot be used
   */
  Device device(ExecutionProvider.Plugin plugin) {
    List<OrtEpDevice> all = devices(plugin.library());
    List<OrtEpDevice> wanted =
        all.stream()
            .filter(device -> plugin.name().isEmpty() || device.getEpName().equals(plugin.name()))
            .toList();
    TreeSet<String> names = new TreeSet<>();
    wanted.forEach(device -> names.add(device.getEpName()));
    if (names.size() != 1) {
      throw refused(
          plugin.library(),
          all.isEmpty()
              ? "it finds no device on this machine"
              : "it has %s, not '%s'"
                  .formatted(
                      all.stream().map(OrtEpDevice::getEpName).distinct().toList(), plugin.name()),
          null);
    }
    Device device =
        new Device(
            names.first(), options -> options.addExecutionProvider(wanted, plugin.options()));
    try (OrtSession probe = Device.openProbe(device, runtime)) {
      LOG.debug("{} is usable: {}", device.name(), probe);
      return device;
    } catch (OrtException e) {
      throw refused(plugin.library(), OrtFailure.reason(String.valueOf(e.getMessage())), e);
    }
  }

  private synchronized List<OrtEpDevice> devices(Path library) {
    List<OrtEpDevice> known = loaded.get(library);
    if (known != null) {
      return known;
    }
    if (!Files.isRegularFile(library)) {
      throw refused(library, "there is no such file", null);
    }
    OrtEnvironment environment = runtime.environment();
    try {
      List<String> before = names(environment.getEpDevices());
      environment.registerExecutionProviderLibrary(
          REGISTRATION + loaded.size(), library.toString());
      List<OrtEpDevice> brought =
          environment.getEpDevices().stream()
              .filter(device -> !before.contains(device.getEpName()))
              .toList();
      loaded.put(library, brought);
      return brought;
    } catch (OrtException e) {
      throw refused(library, OrtFailure.reason(String.valueOf(e.getMessage())), e);
    } catch (LinkageError e) {
      throw refused(library, "this version of ONNX Runtime's Java classes takes no plugin", e);
    }
  }

  private static List<String> names(List<OrtEpDevice> devices) {
    return devices.stream().map(OrtEpDevice::getEpName).toList();
  }

  private static ModelException refused(Path library, String reason, Throwable cause) {
    return new ModelException(
        Kind.BAD_REQUEST,
        "the execution provider library %s cannot be used: %s; name the library that the provider's package installs for this system and ONNX Runtime's version, or choose cpu"
            .formatted(library, reason),
        cause);
  }
}
