package dev.squint.evaluation.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * The plots as files: accuracy against FLOPs, and measured against predicted speedup, each as PNG
 * and SVG, in the colors of the page. Baselines are grey; bars are 95 % intervals, for random
 * selection the range over its seeds.
 *
 * @param summary the figures
 */
record Plots(Summary summary) {

  /** All files that there may be. */
  static final List<String> NAMES =
      List.of("pareto.png", "pareto.svg", "speedup.png", "speedup.svg");

  private static final List<String> BASELINES = List.of("none", "random", "uniform", "resize");
  private static final int WIDTH = 1200;
  private static final int HEIGHT = 760;
  private static final int POINTS = 100;

  /** The first are told apart by those who see few colours (Okabe and Ito). */
  private static final Color[] COLORS = {
    new Color(0x0072B2), new Color(0xD55E00), new Color(0x009E73), new Color(0xCC79A7),
    new Color(0xB58900), new Color(0x56B4E9), new Color(0x7B3FA0), new Color(0xA0522D),
    new Color(0x2AA198), new Color(0xE6550D)
  };

  private static final Color[] GREYS = {
    new Color(0x222222), new Color(0x8A8A8A), new Color(0x5A5A5A), new Color(0xB0B0B0)
  };

  private static final Marker[] MARKERS = {
    SeriesMarkers.CIRCLE, SeriesMarkers.SQUARE, SeriesMarkers.TRIANGLE_UP, SeriesMarkers.DIAMOND
  };

  /** File names and what is in them; the speedup only where it was measured. */
  Map<String, byte[]> files() {
    Map<String, byte[]> files = new LinkedHashMap<>();
    add(files, "pareto", pareto());
    if (summary.configs().stream().anyMatch(config -> config.measured().isPresent())) {
      add(files, "speedup", speedup());
    }
    return files;
  }

  private static void add(Map<String, byte[]> files, String name, XYChart chart) {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    ByteArrayOutputStream svg = new ByteArrayOutputStream();
    try {
      BitmapEncoder.saveBitmap(chart, png, BitmapEncoder.BitmapFormat.PNG);
      VectorGraphicsEncoder.saveVectorGraphic(
          (Chart<?, ?>) chart, svg, VectorGraphicsEncoder.VectorGraphicsFormat.SVG);
    } catch (IOException e) {
      throw new UncheckedIOException("a plot could not be drawn", e);
    }
    files.put(name + ".png", png.toByteArray());
    files.put(name + ".svg", svg.toByteArray());
  }

  /**
   * A point with its interval.
   *
   * @param low lower end
   * @param high upper end
   */
  private record Point(double x, double y, double low, double high) {}

  private List<Configuration> configurations() {
    return Configuration.of(summary).stream()
        .filter(configuration -> configuration.draws().get(0).scores().containsKey(metric()))
        .toList();
  }

  private String metric() {
    return summary.run().metric();
  }

  private Map<String, List<Configuration>> bySeries() {
    return configurations().stream()
        .collect(
            Collectors.groupingBy(Configuration::series, LinkedHashMap::new, Collectors.toList()));
  }

  private XYChart pareto() {
    XYChart chart =
        chart(
            "%s on %s".formatted(summary.run().model(), summary.run().data()),
            "FLOPs of vision, prefill and decoding, % of unpruned",
            metric() + (summary.run().exceedsOne() ? "" : ", %"));
    Map<String, List<Point>> points = new LinkedHashMap<>();
    bySeries()
        .forEach((series, own) -> points.put(series, own.stream().map(this::accuracy).toList()));
    draw(chart, points, true);
    return chart;
  }

  private Point accuracy(Configuration configuration) {
    boolean drawn = configuration.draws().size() > 1;
    return new Point(
        POINTS * configuration.flopsLeft(),
        POINTS * configuration.score(metric()),
        POINTS * configuration.least(config -> drawn ? score(config).value() : score(config).low()),
        POINTS
            * configuration.most(config -> drawn ? score(config).value() : score(config).high()));
  }

  private Summary.Score score(Summary.RunSummary config) {
    return config.scores().get(metric());
  }

  private XYChart speedup() {
    XYChart chart =
        chart(
            "Prefill speedup of %s".formatted(summary.run().model()),
            "predicted by FLOPs, times",
            "measured, times");
    Map<String, List<Point>> points = new LinkedHashMap<>();
    double right = 1;
    double top = 1;
    for (Map.Entry<String, List<Configuration>> entry : bySeries().entrySet()) {
      List<Point> own =
          entry.getValue().stream()
              .filter(
                  configuration ->
                      configuration.draws().stream().allMatch(c -> c.measured().isPresent()))
              .map(Plots::speed)
              .toList();
      for (Point point : own) {
        right = Math.max(right, point.x());
        top = Math.max(top, point.high());
      }
      // Draws of the unpruned model have no speedup to show, but they take its color.
      points.put(entry.getKey(), entry.getKey().equals(BASELINES.get(0)) ? List.of() : own);
    }
    draw(chart, points, false);
    double met = Math.min(right, top);
    XYSeries line = chart.addSeries("as predicted", new double[] {1, met}, new double[] {1, met});
    line.setMarker(SeriesMarkers.NONE);
    line.setLineColor(GREYS[1]);
    line.setLineWidth(1);
    return chart;
  }

  private static Point speed(Configuration configuration) {
    return new Point(
        configuration.mean(config -> config.measured().orElseThrow().predicted()),
        configuration.mean(config -> config.measured().orElseThrow().speedup().value()),
        configuration.least(config -> config.measured().orElseThrow().speedup().low()),
        configuration.most(config -> config.measured().orElseThrow().speedup().high()));
  }

  private static XYChart chart(String title, String x, String y) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle(x)
            .yAxisTitle(y)
            .build();
    Font plain = new Font(Font.SANS_SERIF, Font.PLAIN, 14);
    XYStyler styler = chart.getStyler();
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setLegendPosition(Styler.LegendPosition.OutsideE);
    styler.setLegendFont(plain.deriveFont(12f));
    styler.setLegendBorderColor(Color.WHITE);
    styler.setLegendPadding(4);
    styler.setPlotBorderColor(new Color(0xD9DDE1));
    styler.setPlotGridLinesColor(new Color(0xE6E8EA));
    styler.setAxisTickLabelsFont(plain);
    styler.setAxisTitleFont(plain);
    styler.setMarkerSize(8);
    return chart;
  }

  private static void draw(XYChart chart, Map<String, List<Point>> bySeries, boolean joined) {
    int method = 0;
    for (Map.Entry<String, List<Point>> entry : bySeries.entrySet()) {
      String series = entry.getKey();
      int baseline = BASELINES.indexOf(series);
      int round = baseline < 0 ? method / COLORS.length : 0;
      Color color = baseline < 0 ? COLORS[method % COLORS.length] : GREYS[baseline];
      Marker marker = MARKERS[(baseline < 0 ? round : baseline) % MARKERS.length];
      method += baseline < 0 ? 1 : 0;
      List<Point> ordered =
          entry.getValue().stream().sorted(Comparator.comparingDouble(Point::x)).toList();
      if (ordered.isEmpty()) {
        continue;
      }
      for (int i = 0; i < ordered.size(); i++) {
        interval(chart, series + " " + i, ordered.get(i), color);
      }
      XYSeries drawn =
          chart.addSeries(
              series,
              ordered.stream().mapToDouble(Point::x).toArray(),
              ordered.stream().mapToDouble(Point::y).toArray());
      drawn.setLineColor(color);
      drawn.setMarkerColor(color);
      drawn.setMarker(marker);
      drawn.setLineStyle(joined ? stroke(round, baseline >= 0) : SeriesLines.NONE);
    }
  }

  /** A line of its own: the library's error bars reach as far up as down. */
  private static void interval(XYChart chart, String name, Point point, Color color) {
    XYSeries bar =
        chart.addSeries(
            name, new double[] {point.x(), point.x()}, new double[] {point.low(), point.high()});
    bar.setShowInLegend(false);
    bar.setMarker(SeriesMarkers.NONE);
    bar.setLineColor(color);
    bar.setLineStyle(new BasicStroke(1));
  }

  private static BasicStroke stroke(int round, boolean baseline) {
    if (baseline) {
      return dashed(6, 4);
    }
    return round == 0 ? new BasicStroke(2) : dashed(3f * round, 3);
  }

  private static BasicStroke dashed(float on, float off) {
    return new BasicStroke(
        2, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, new float[] {on, off}, 0);
  }
}
