package dev.squint.cli.torture;

import java.io.IOException;
import java.nio.file.Path;

/** A kind of hostile input. A case follows from its seed alone, so that each can be run again. */
interface Campaign extends AutoCloseable {

  /**
   * Writes the input of a case and runs it.
   *
   * @param seed decides the case
   * @param work an empty folder for it; what lies in it afterwards is the input, to be kept where
   *     the case fails
   * @return what came of it
   * @throws IOException if the work folder cannot be written
   */
  Verdict run(long seed, Path work) throws IOException;

  @Override
  default void close() {}

  /**
   * Opens a campaign.
   *
   * @param name its name
   * @param fixtures the folder of the models' test resources
   * @param scratch a folder that the campaign may use
   */
  static Campaign of(String name, Path fixtures, Path scratch) throws IOException {
    return switch (name) {
      case "images" -> ImageCampaign.ofAll(TinyModel.write(fixtures, scratch.resolve("model")));
      case "own-images" ->
          ImageCampaign.ofOwnDecoders(TinyModel.write(fixtures, scratch.resolve("model")));
      case "graphs" ->
          new GraphCampaign(fixtures, TinyModel.write(fixtures, scratch.resolve("model")));
      case "json" -> new JsonCampaign(TinyModel.write(fixtures, scratch.resolve("model")));
      case "templates" -> new TemplateCampaign(TinyModel.write(fixtures, scratch.resolve("model")));
      case "tokenizers" ->
          new TokenizerCampaign(TinyModel.write(fixtures, scratch.resolve("model")));
      case "splits" -> new SplitCampaign(TinyModel.write(fixtures, scratch.resolve("model")));
      case "mixed" -> new MixedCampaign(fixtures, scratch);
      case "kills" ->
          new CommandCampaign(
              TinyModel.write(fixtures, scratch.resolve("model")), CommandCampaign.Mishap.KILLED);
      case "full-disk" ->
          new CommandCampaign(
              TinyModel.write(fixtures, scratch.resolve("model")),
              CommandCampaign.Mishap.DISK_FULL);
      default -> throw new IllegalArgumentException(name);
    };
  }
}
