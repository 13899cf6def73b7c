package dev.squint.evaluation.report;

import dev.squint.onnx.internal.io.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code index.html}: one file that asks for nothing from the network. Its template, style and
 * script lie next to this class; a content security policy allows just these two and images within
 * the page.
 *
 * @param summary the figures
 * @param gallery questions to show
 */
record Page(Summary summary, List<GalleryItem> gallery) {

  static final String NAME = "index.html";
  private static final Pattern HOLE = Pattern.compile("\\{\\{([a-z-]+)}}");
  private static final double GIGA = 1 << 30;

  byte[] bytes() {
    String style = resource("page.css");
    String script = resource("page.js");
    Map<String, String> parts = new LinkedHashMap<>();
    parts.put("title", escaped(title()));
    parts.put("lead", escaped(lead()));
    parts.put("findings", findings());
    parts.put("style", style);
    parts.put("style-hash", hash(style));
    parts.put("script", script);
    parts.put("script-hash", hash(script));
    parts.put("data", SummaryFile.compact(summary).replace("<", "\\u003c"));
    parts.put("gallery", figures());
    parts.put("facts", facts());
    parts.put("notes", notes());
    StringBuilder page = new StringBuilder();
    Matcher hole = HOLE.matcher(resource("page.html"));
    while (hole.find()) {
      hole.appendReplacement(page, Matcher.quoteReplacement(parts.get(hole.group(1))));
    }
    return hole.appendTail(page).toString().getBytes(StandardCharsets.UTF_8);
  }

  private String title() {
    return "%s on %s".formatted(summary.run().model(), summary.run().data());
  }

  private String lead() {
    Summary.Run run = summary.run();
    return String.format(
        Locale.ROOT,
        "Visual-token pruning compared by Squint: %,d settings, each asked %s, scored by %s.",
        Configuration.of(summary).size(),
        asked(run),
        run.metric());
  }

  private static String asked(Summary.Run run) {
    return run.questions() == run.available()
        ? String.format(Locale.ROOT, "all %,d questions", run.questions())
        : String.format(
            Locale.ROOT, "the same %,d of %,d questions", run.questions(), run.available());
  }

  private String findings() {
    StringBuilder items = new StringBuilder();
    for (String sentence : new Findings(summary).sentences()) {
      items.append("<li>").append(escaped(sentence)).append("</li>\n");
    }
    return items.toString();
  }

  private String figures() {
    StringBuilder figures = new StringBuilder();
    for (GalleryItem one : gallery) {
      String said = "unpruned: %s; pruned: %s".formatted(one.unpruned(), one.pruned());
      figures
          .append("<figure><img alt=\"")
          .append(escaped("Kept patches and scores of " + one.config()))
          .append("\" src=\"data:image/png;base64,")
          .append(Base64.getEncoder().encodeToString(one.overlay()))
          .append("\"><figcaption><strong class=\"")
          .append(one.win() ? "good\">Won" : "bad\">Lost")
          .append("</strong> <span class=\"what\">")
          .append(escaped(one.config()))
          .append("</span><br>")
          .append(escaped(one.question()))
          .append("<br>")
          .append(escaped("right: " + String.join(" / ", one.target()) + "; " + said))
          .append("</figcaption></figure>\n");
    }
    return figures.toString();
  }

  private String facts() {
    Summary.Run run = summary.run();
    Summary.Machine machine = summary.machine();
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("Model", run.model() + ", SHA-256 " + run.modelHash());
    if (run.layers() > 0) {
      facts.put(
          "Decoder", run.layers() + " layers, " + run.visualTokens() + " visual tokens an image");
    }
    facts.put(
        "Data",
        "%s (format of %s), SHA-256 %s; %d records could not be used"
            .formatted(run.data(), run.format(), run.dataHash(), run.skipped()));
    if (!run.promptTemplate().isEmpty()) {
      facts.put("Prompt", run.promptTemplate().replace("\n", "\\n"));
    }
    facts.put("After each question", run.promptSuffix().isEmpty() ? "nothing" : run.promptSuffix());
    facts.put("Decoding", "greedy, at most " + run.maxNewTokens() + " tokens");
    facts.put("Seed", Long.toString(run.seed()));
    facts.put(
        "Machine",
        String.format(
            Locale.ROOT,
            "%s, %d cores, %.1f GiB, %s",
            machine.processor(),
            machine.cores(),
            machine.memoryBytes() / GIGA,
            machine.os()));
    facts.put(
        "Software",
        "Squint %s, ONNX Runtime %s on %s with %d threads, %s"
            .formatted(
                machine.squint(),
                machine.runtime(),
                machine.provider(),
                machine.threads(),
                machine.java()));
    StringBuilder list = new StringBuilder();
    facts.forEach(
        (name, value) ->
            list.append("<dt>")
                .append(escaped(name))
                .append("</dt><dd>")
                .append(escaped(value))
                .append("</dd>\n"));
    return list.toString();
  }

  private String notes() {
    StringBuilder items = new StringBuilder();
    for (String note : summary.notes()) {
      items.append("<li>").append(escaped(note)).append("</li>\n");
    }
    for (Summary.RunSummary config : summary.configs()) {
      config
          .refused()
          .ifPresent(
              reason ->
                  items
                      .append("<li>")
                      .append(escaped(config.id() + " did not run: " + reason))
                      .append("</li>\n"));
    }
    return items.isEmpty() ? "" : "<ul class=\"notes\">" + items + "</ul>";
  }

  static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }

  private static String hash(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return Base64.getEncoder().encodeToString(Sha256.digest().digest(bytes));
  }

  private static String resource(String name) {
    try (InputStream stream = Page.class.getResourceAsStream(name)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("the jar is damaged; get it again", e);
    }
  }
}
