package dev.squint.cli.torture;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Hostile chat templates, in each of the files that may hold one, and hostile processor and
 * tokenizer settings.
 */
final class TemplateCampaign implements Campaign {

  private static final List<String> QUESTIONS =
      List.of("what is it?", "x{{ 6*7 }} {% for a in b %}\n<image></s>");

  private final Path model;

  TemplateCampaign(Path model) {
    this.model = model;
  }

  @Override
  public Verdict run(long seed, Path work) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    Path input = work.resolve("input");
    WorkFolder.copy(model, input);
    byte[] template = new TemplateMutator(random).template();
    switch (random.nextInt(5)) {
      case 0 -> write(input, "chat_template.json", random, template, true);
      case 1 -> {
        Files.delete(input.resolve("chat_template.jinja"));
        write(input, "tokenizer_config.json", random, template, true);
      }
      case 2 -> write(input, "processor_config.json", random, template, random.nextBoolean());
      default -> Files.write(input.resolve("chat_template.jinja"), template);
    }
    return Answering.ask(input, Answering.spec(random), QUESTIONS);
  }

  /** A template within JSON, the JSON around it now and then hostile itself. */
  private static void write(
      Path folder, String name, SplittableRandom random, byte[] template, boolean own)
      throws IOException {
    ObjectMapper json = new ObjectMapper();
    String text = own ? new String(template, StandardCharsets.UTF_8) : "{{ '<image>' }}";
    byte[] sound =
        json.writeValueAsBytes(
            Map.of(
                "chat_template",
                text,
                "bos_token",
                "<s>",
                "eos_token",
                Map.of("content", "</s>"),
                "image_token",
                "<image>",
                "clean_up_tokenization_spaces",
                random.nextBoolean()));
    Files.write(
        folder.resolve(name),
        random.nextInt(3) == 0 ? new JsonMutator(random).mutate(sound) : sound);
  }
}
