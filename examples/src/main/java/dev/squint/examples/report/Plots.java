package dev.squint.examples.report;

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
import java.util.Set;
import java.util.function.ToDoubleFunction;
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
 * and SVG. Baselines are grey; error bars are half the width of the 95 % interval, for random
 * selection half the range over its seeds.
 *
 * @param summary the figures
 */
record Plots(Summary summary) {

  private static final Set<String> BASELINES = Set.of("none", "random", "uniform", "resize");
  private static final int WIDTH = 1200;
  private static final int HEIGHT = 760;
  private static final int POINTS = 100;

  /** Told apart by those who see few colours (Okabe and Ito), then darker ones. */
  private static final Color[] COLORS = {
    new Color(0x0072B2), new Color(0xD55E00), new Color(0x009E73), new Color(0xCC79A7),
    new Color(0xB58900), new Color(0x56B4E9), new Color(0x7B3FA0), new Color(0xA0522D)
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
    if (summary.cells().stream().anyMatch(cell -> cell.measured().isPresent())) {
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

  private record Point(double x, double y, double reach) {}

  private List<Setting> settings() {
    return Setting.of(summary).stream()
        .filter(setting -> setting.draws().get(0).scores().containsKey(metric()))
        .toList();
  }

  private String metric() {
    return summary.run().metric();
  }

  private Map<String, List<Setting>> bySeries() {
    return settings().stream()
        .collect(Collectors.groupingBy(Setting::series, LinkedHashMap::new, Collectors.toList()));
  }

  private XYChart pareto() {
    boolean share = settings().stream().allMatch(setting -> setting.score(metric()) <= 1);
    double scale = share ? POINTS : 1;
    XYChart chart =
        chart(
            "%s on %s".formatted(summary.run().model(), summary.run().data()),
            "FLOPs of vision, prefill and decoding, % of unpruned",
            metric() + (share ? ", %" : ""));
    bySeries()
        .forEach(
            (series, settings) -> {
              List<Point> points =
                  settings.stream()
                      .map(
                          setting ->
                              new Point(
                                  POINTS * setting.flopsLeft(),
                                  scale * setting.score(metric()),
                                  scale * reach(setting)))
                      .toList();
              draw(chart, series, points, true);
            });
    return chart;
  }

  /** Half the width of the interval, or of the range over the draws. */
  private double reach(Setting setting) {
    if (setting.draws().size() > 1) {
      ToDoubleFunction<Summary.Cell> value = cell -> cell.scores().get(metric()).value();
      return (setting.most(value) - setting.least(value)) / 2;
    }
    Summary.Score score = setting.draws().get(0).scores().get(metric());
    return (score.high() - score.low()) / 2;
  }

  private XYChart speedup() {
    XYChart chart =
        chart(
            "Prefill speedup of %s".formatted(summary.run().model()),
            "predicted by FLOPs, times",
            "measured, times");
    double right = 1;
    double top = 1;
    for (Map.Entry<String, List<Setting>> entry : bySeries().entrySet()) {
      List<Point> points =
          entry.getValue().stream()
              .flatMap(setting -> setting.draws().stream())
              .flatMap(cell -> cell.measured().stream())
              .map(
                  measured ->
                      new Point(
                          measured.predicted(),
                          measured.speedup().value(),
                          (measured.speedup().high() - measured.speedup().low()) / 2))
              .toList();
      for (Point point : points) {
        right = Math.max(right, point.x());
        top = Math.max(top, point.y() + point.reach());
      }
      if (!points.isEmpty() && !entry.getKey().equals("none")) {
        draw(chart, entry.getKey(), points, false);
      }
    }
    double met = Math.min(right, top);
    XYSeries line = chart.addSeries("as predicted", new double[] {1, met}, new double[] {1, met});
    line.setMarker(SeriesMarkers.NONE);
    line.setLineColor(GREYS[1]);
    line.setLineWidth(1);
    return chart;
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
    styler.setErrorBarsColorSeriesColor(true);
    return chart;
  }

  private static void draw(XYChart chart, String series, List<Point> points, boolean joined) {
    List<Point> ordered = points.stream().sorted(Comparator.comparingDouble(Point::x)).toList();
    double[] x = ordered.stream().mapToDouble(Point::x).toArray();
    double[] y = ordered.stream().mapToDouble(Point::y).toArray();
    double[] reach = ordered.stream().mapToDouble(Point::reach).toArray();
    int place = chart.getSeriesMap().size();
    XYSeries drawn = chart.addSeries(series, x, y, reach);
    Color color =
        BASELINES.contains(series) ? GREYS[place % GREYS.length] : COLORS[place % COLORS.length];
    drawn.setLineColor(color);
    drawn.setMarkerColor(color);
    drawn.setMarker(MARKERS[place / COLORS.length % MARKERS.length]);
    drawn.setLineStyle(joined ? stroke(place / COLORS.length, series) : SeriesLines.NONE);
  }

  private static BasicStroke stroke(int round, String series) {
    if (BASELINES.contains(series)) {
      return new BasicStroke(
          2, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, new float[] {6, 4}, 0);
    }
    return round == 0
        ? new BasicStroke(2)
        : new BasicStroke(
            2, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, new float[] {3f * round, 3}, 0);
  }
}
