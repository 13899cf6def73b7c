package dev.squint.evaluation.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import dev.squint.evaluation.metrics.McNemar;
import dev.squint.fixtures.Share;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The page as a reader sees it. Without a browser this is skipped; with {@code
 * -Dsquint.browser.required=true} that is a failure.
 */
class PageInBrowserTest {

  private static final int METHODS = 14;
  @TempDir private static Path folder;
  private static Browser browser;
  private static Path page;

  @BeforeAll
  static void start() throws Exception {
    Optional<Path> program = Browser.find();
    assertThat(program.isPresent() || !Boolean.getBoolean("squint.browser.required"))
        .as("no browser; install Chromium or give -Dsquint.browser=PATH")
        .isTrue();
    assumeTrue(program.isPresent(), "no Chromium on the path, so the page is not opened");
    browser = new Browser(program.get(), folder.resolve("profile"));
    ByteArrayOutputStream image = new ByteArrayOutputStream();
    ImageIO.write(new BufferedImage(96, 48, BufferedImage.TYPE_INT_RGB), "png", image);
    Path report = Files.createDirectory(folder.resolve("report"));
    Report.write(report, Synthetic.summary(METHODS, true), Synthetic.gallery(image.toByteArray()));
    page = report.resolve("index.html");
  }

  @AfterAll
  static void stop() throws Exception {
    if (browser != null) {
      browser.close();
    }
  }

  /** Each width and each theme; with {@code -Pfull} each width in each. */
  static Stream<Arguments> screens() {
    return Share.of(
        List.of(
            Arguments.of(390, 844, true),
            Arguments.of(390, 844, false),
            Arguments.of(1280, 900, true),
            Arguments.of(1280, 900, false)),
        0,
        3);
  }

  @ParameterizedTest
  @MethodSource("screens")
  void fitsPhoneAndDesktop(int width, int height, boolean dark) throws Exception {
    browser.open(page, width, height, dark);
    Path shots = Files.createDirectories(Path.of("target", "page"));
    Files.write(
        shots.resolve("page-%d-%s.png".formatted(width, dark ? "dark" : "light")), browser.image());
    assertThat(browser.events("Runtime.exceptionThrown")).isEmpty();
    assertThat(browser.events("Log.entryAdded")).isEmpty();
    assertThat(browser.events("Network.requestWillBeSent"))
        .extracting(event -> event.path("params").path("request").path("url").asText())
        .allMatch(url -> url.equals(page.toUri().toString()) || url.startsWith("data:"));
    assertThat(browser.evaluate("document.documentElement.scrollWidth").intValue())
        .as("the page does not scroll sideways")
        .isLessThanOrEqualTo(width);
    assertThat(
            browser.evaluate(
                "[...document.querySelectorAll('.plot')].every(plot => {"
                    + "const box = plot.querySelector('.box').getBoundingClientRect();"
                    + "return [...plot.querySelectorAll('.point')].every(point => {"
                    + "const own = point.getBoundingClientRect(); const x = own.x + own.width / 2, y = own.y + own.height / 2;"
                    + "return x >= box.left - 1 && x <= box.right + 1 && y >= box.top - 1 && y <= box.bottom + 1; }); })"))
        .as("points lie within the axes")
        .isEqualTo(BooleanNode.TRUE);
    assertThat(
            browser.evaluate(
                "[...document.querySelectorAll('.plot')].flatMap(plot => {"
                    + "const whole = plot.getBoundingClientRect();"
                    + "const texts = [...plot.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);"
                    + "return texts.flatMap(([name, a], i) => [...(a.left < whole.left || a.right > whole.right || a.bottom > whole.bottom ? ['clipped ' + name] : []),"
                    + "...texts.slice(i + 1).filter(([, b]) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).map(([other]) => name + ' over ' + other)]); })"))
        .as("labels are whole and apart")
        .isEmpty();
    String ground = browser.evaluate("getComputedStyle(document.body).backgroundColor").asText();
    assertThat(ground.equals("rgb(20, 23, 26)")).as(ground).isEqualTo(dark);
  }

  @Test
  void everySeriesHasItsLineAndCanBeHidden() throws Exception {
    browser.open(page, 1280, 900, false);
    String drawn = "document.querySelectorAll('#pareto .series').length";
    browser.evaluate("document.getElementById('all').click()");
    assertThat(browser.evaluate(drawn).intValue()).isEqualTo(METHODS + 3);
    assertThat(browser.evaluate("document.querySelectorAll('#pareto .line').length").intValue())
        .isEqualTo(METHODS + 2);
    browser.evaluate("document.querySelector('#legend [data-series=\"method-3\"]').click()");
    assertThat(browser.evaluate(drawn).intValue()).isEqualTo(METHODS + 2);
    assertThat(
            browser
                .evaluate(
                    "document.querySelector('#legend [data-series=\"method-3\"]').getAttribute('aria-pressed')")
                .asText())
        .isEqualTo("false");
    browser.evaluate("document.getElementById('few').click()");
    assertThat(browser.evaluate(drawn).intValue()).isEqualTo(3 + 8);
  }

  @Test
  void aPointTellsItsFiguresOnFocus() throws Exception {
    browser.open(page, 390, 844, false);
    browser.evaluate("document.querySelector('#pareto [data-series=\"resize\"] .point').focus()");
    assertThat(browser.evaluate("document.getElementById('tip').hidden").asBoolean()).isFalse();
    assertThat(browser.evaluate("document.getElementById('tip').textContent").asText())
        .startsWith("resize:keep=0.05\nexact_match 33.3 %");
    assertThat(
            browser
                .evaluate("document.getElementById('tip').getBoundingClientRect().right")
                .doubleValue())
        .isLessThanOrEqualTo(390);
  }

  @Test
  void theTableSortsByNumber() throws Exception {
    browser.open(page, 1280, 900, false);
    browser.evaluate("document.querySelector('#cells [data-sort=\"1\"]').click()");
    JsonNode descending = column(1);
    for (int i = 1; i < descending.size(); i++) {
      assertThat(descending.get(i).doubleValue())
          .isLessThanOrEqualTo(descending.get(i - 1).doubleValue());
    }
    assertThat(descending).hasSize(1 + 5 * 4 + 5 * METHODS);
    browser.evaluate("document.querySelector('#cells [data-sort=\"1\"]').click()");
    assertThat(column(1).get(0)).isEqualTo(descending.get(descending.size() - 1));
    assertThat(
            browser
                .evaluate(
                    "document.querySelector('#cells [data-sort=\"1\"]').getAttribute('aria-sort')")
                .asText())
        .isEqualTo("ascending");
  }

  @Test
  void twoSettingsAreComparedByMcNemarsTest() throws Exception {
    browser.open(page, 1280, 900, false);
    choose("first", "method-2:keep=0.25");
    choose("second", "none");
    assertThat(browser.evaluate("document.getElementById('verdict').textContent").asText())
        .isEqualTo(
            "40 of 1000 questions tell the two apart: McNemar's exact p = %.3f. none is right more often."
                .formatted(McNemar.exact(Synthetic.ONLY_UNPRUNED, Synthetic.ONLY_PRUNED)));
    assertThat(
            browser
                .evaluate(
                    "[...document.querySelectorAll('#pair tbody tr')].map(row => row.children[0].textContent + ' ' + row.children[3].textContent)")
                .toString())
        .isEqualTo("[\"method-2:keep=0.25 10\",\"none 30\"]");
    choose("second", "method-3:keep=0.25");
    assertThat(browser.evaluate("document.getElementById('verdict').textContent").asText())
        .isEqualTo(
            "20 of 1000 questions tell the two apart: McNemar's exact p = 1.000. They may as well be equally good.");
  }

  private static void choose(String select, String option) throws Exception {
    browser.evaluate(
        "(() => { const select = document.getElementById('%s'); select.value = '%s'; select.dispatchEvent(new Event('change')); })()"
            .formatted(select, option));
  }

  @Test
  void questionTypesShowTheMeanOfRandomDraws() throws Exception {
    browser.open(page, 1280, 900, false);
    choose("keep", "0.5");
    assertThat(
            browser
                .evaluate(
                    "[...document.querySelectorAll('#types tbody tr')].map(row => [...row.children].map(c => c.textContent)).find(row => row[0].startsWith('random'))")
                .toString())
        .isEqualTo("[\"random:keep=0.5, 3 seeds\",\"71.0\",\"72.0\",\"61.0\"]");
  }

  private static JsonNode column(int place) throws Exception {
    return browser.evaluate(
        "[...document.querySelectorAll('#cells tbody tr')].map(row => parseFloat(row.children[%d].textContent))"
            .formatted(place));
  }

  @Test
  void whatUsersWroteIsTextOnly() throws Exception {
    browser.open(page, 1280, 900, false);
    assertThat(browser.evaluate("document.querySelectorAll('b, img[src=x]').length").intValue())
        .isZero();
    assertThat(browser.evaluate("document.querySelector('figcaption').textContent").asText())
        .contains("what is </script><img src=x onerror=alert(1)>?");
    assertThat(
            browser
                .evaluate("[...document.querySelectorAll('.gallery img')].map(i => i.naturalWidth)")
                .toString())
        .isEqualTo("[96,96]");
    assertThat(browser.evaluate("document.querySelector('.notes').textContent").asText())
        .contains("a note with <angles>")
        .contains("mustdrop:keep=0.05 did not run: strategy 'mustdrop': too <few> tokens");
  }

  @Test
  void aSingleSettingWithoutTimesIsAPageToo() throws Exception {
    Path bare = Files.createDirectory(folder.resolve("bare"));
    Summary all = Synthetic.summary(0, false);
    Report.write(
        bare,
        new Summary(
            all.run(),
            all.machine(),
            all.configs().subList(0, 1),
            List.of(),
            Optional.empty(),
            all.notes()),
        List.of());
    browser.open(bare.resolve("index.html"), 390, 844, false);
    assertThat(browser.events("Runtime.exceptionThrown")).isEmpty();
    assertThat(
            browser
                .evaluate(
                    "['speed', 'random', 'gallery', 'pair'].map(n => document.getElementById(n + '-section').hidden)")
                .toString())
        .isEqualTo("[true,true,true,true]");
  }
}
