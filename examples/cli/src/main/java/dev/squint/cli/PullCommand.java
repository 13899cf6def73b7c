package dev.squint.cli;

import dev.squint.hub.HubOptions;
import dev.squint.hub.ModelHub;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "pull",
    description = {
      "Downloads a model from a hub and prints its folder, for --model.",
      "Takes HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE and HF_HUB_OFFLINE as Hugging Face's library does, and shares its cache."
    },
    mixinStandardHelpOptions = true)
final class PullCommand implements Runnable {

  @Parameters(
      paramLabel = "OWNER/NAME",
      description = "The model, such as onnx-community/SmolVLM-256M-Instruct.")
  private String repository;

  @Option(
      names = "--precision",
      paramLabel = "SUFFIX",
      defaultValue = "",
      description = "Which graphs, such as q4 (default: the most exact).")
  private String precision;

  @Option(
      names = "--revision",
      paramLabel = "R",
      defaultValue = ModelHub.MAIN,
      description = "A branch, tag or commit (default: ${DEFAULT-VALUE}).")
  private String revision;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    Path folder;
    try (TerminalProgress progress = SquintCommand.progress(spec.commandLine())) {
      folder =
          new ModelHub(HubOptions.defaults())
              .pull(repository, revision, precision, progress.download(repository));
    }
    spec.commandLine().getOut().println(folder);
    spec.commandLine().getOut().flush();
  }
}
