package dev.squint.cli;

import dev.squint.Squint;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "caption", description = "Describes an image.", mixinStandardHelpOptions = true)
final class CaptionCommand implements Callable<Integer> {

  @Mixin private RequestOptions options;

  @Parameters(
      index = "0",
      paramLabel = "IMAGE",
      description = "PNG, JPEG, BMP, WebP, TIFF, GIF or PNM file.")
  private Path image;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    return options.run(
        spec.commandLine(), List.of(image), Optional.of(Squint.CAPTION_PROMPT), false);
  }
}
