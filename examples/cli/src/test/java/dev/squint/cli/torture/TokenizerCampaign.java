package dev.squint.cli.torture;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Tokenizers of every component, sound and not, and questions that texts seldom look like. */
final class TokenizerCampaign implements Campaign {

  private static final int QUESTIONS = 3;

  private final Path model;
  private final ObjectMapper json = new ObjectMapper();

  TokenizerCampaign(Path model) {
    this.model = model;
  }

  @Override
  public Verdict run(long seed, Path work) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    Path input = work.resolve("input");
    WorkFolder.copy(model, input);
    ObjectNode tokenizer = new TokenizerMaker(random).make();
    byte[] content = json.writeValueAsBytes(tokenizer);
    Files.write(
        input.resolve("tokenizer.json"),
        random.nextInt(8) == 0 ? new JsonMutator(random).mutate(content) : content);
    List<String> questions = new ArrayList<>();
    for (int i = 0; i < QUESTIONS; i++) {
      questions.add(question(random));
    }
    return Answering.ask(input, "none", questions);
  }

  private static String question(SplittableRandom random) {
    String[] pieces = {
      "what is it?",
      "   ",
      "a",
      "\n\t",
      "é",
      "e\u0301",
      "ﬁ",
      "日本語",
      "\ud83d\udc69\u200d\ud83d\udcbb",
      "\ud800",
      "\u0000",
      "\u00ad",
      "\u200b",
      "\ufeff",
      "\u0345",
      "İ",
      "ß",
      "ǅ",
      "<image>",
      "</s>",
      "<0x0A>",
      "▁",
      "Ġ",
      "#",
      "##a",
      "a".repeat(30),
      "\u0301".repeat(20),
      "0123456789",
      "ﷺ",
      "㌀",
      "\u1100\u1161\u11a8",
      "🇩🇪",
      "]]>",
      "\\",
      "%s",
      "${x}"
    };
    StringBuilder text = new StringBuilder();
    int count = 1 + random.nextInt(5);
    for (int i = 0; i < count; i++) {
      text.append(pieces[random.nextInt(pieces.length)]);
    }
    return text.toString();
  }
}
