package dev.squint.overlay;

import dev.squint.family.TokenMap;
import dev.squint.image.RgbImage;
import dev.squint.pruning.trace.SiteTrace;
import dev.squint.pruning.trace.Trace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.opencv.core.Core;
import org.opencv.core.CvException;
import org.opencv.core.CvType;
import org.opencv.core.Mat;
import org.opencv.core.MatOfByte;
import org.opencv.core.Size;
import org.opencv.imgcodecs.Imgcodecs;
import org.opencv.imgproc.Imgproc;

/**
 * Draws which visual tokens were kept: left the image with dropped ones dimmed, right the scores of
 * the first site that has any, as a heat map (without scores, kept white and dropped black). An
 * image that is shown in several ways has such a pair for each, from top to bottom.
 *
 * @param maps where the tokens lie
 */
public record Overlay(List<TokenMap> maps) {

  private static final int SIDE = 480;
  private static final double DIM = 0.22;

  /** An overlay of an image that is one grid of patches. */
  public Overlay(int rows, int columns) {
    this(List.of(TokenMap.grid(rows, columns)));
  }

  /** An encoded PNG, for each map two panels of about 480 pixels a side. */
  public byte[] draw(RgbImage image, Trace trace) {
    int tokens = maps.stream().mapToInt(TokenMap::count).sum();
    boolean[] kept = kept(trace, tokens);
    float[] scores = scores(trace, tokens);
    Mat seen = image.toMat();
    List<Mat> pairs = new ArrayList<>();
    Mat all = new Mat();
    MatOfByte png = new MatOfByte();
    try {
      for (TokenMap map : maps) {
        Mat pair = new Mat();
        pairs.add(pair);
        draw(map, seen, kept, scores, pair);
      }
      int widest = pairs.stream().mapToInt(Mat::cols).max().orElse(0);
      for (Mat pair : pairs) {
        Core.copyMakeBorder(pair, pair, 0, 0, 0, widest - pair.cols(), Core.BORDER_CONSTANT);
      }
      Core.vconcat(pairs, all);
      Imgcodecs.imencode(".png", all, png);
      return png.toArray();
    } catch (CvException e) {
      throw new OverlayException("the overlay cannot be drawn; ask without one", e);
    } finally {
      seen.release();
      pairs.forEach(Mat::release);
      all.release();
      png.release();
    }
  }

  private static void draw(TokenMap map, Mat seen, boolean[] kept, float[] scores, Mat target) {
    int cell = Math.max(1, SIDE / Math.max(map.rows(), map.columns()));
    Size size = new Size(map.columns() * cell, map.rows() * cell);
    Mat left = new Mat();
    Mat right = new Mat();
    try {
      Imgproc.resize(seen, left, size, 0, 0, Imgproc.INTER_NEAREST);
      dim(map, left, kept, cell);
      heat(map, kept, scores, size, right);
      Core.hconcat(List.of(left, right), target);
    } finally {
      left.release();
      right.release();
    }
  }

  private static boolean[] kept(Trace trace, int tokens) {
    boolean[] kept = new boolean[tokens];
    List<SiteTrace> sites = trace.sites();
    if (sites.isEmpty()) {
      Arrays.fill(kept, true);
      return kept;
    }
    for (int index : alive(sites.get(sites.size() - 1))) {
      kept[index] = true;
    }
    return kept;
  }

  private static void dim(TokenMap map, Mat image, boolean[] kept, int cell) {
    for (int i = 0; i < map.tokens().length; i++) {
      if (!kept[map.tokens()[i]]) {
        int top = i / map.columns() * cell;
        int left = i % map.columns() * cell;
        Mat dimmed = image.submat(top, top + cell, left, left + cell);
        dimmed.convertTo(dimmed, -1, DIM);
        dimmed.release();
      }
    }
  }

  private static void heat(TokenMap map, boolean[] kept, float[] scores, Size size, Mat target) {
    Mat values = new Mat(map.rows(), map.columns(), CvType.CV_32F);
    Mat grey = new Mat();
    try {
      for (int i = 0; i < map.tokens().length; i++) {
        int token = map.tokens()[i];
        float value = scores.length > 0 ? scores[token] : kept[token] ? 1 : 0;
        values.put(i / map.columns(), i % map.columns(), value);
      }
      Core.normalize(values, values, 0, 255, Core.NORM_MINMAX);
      values.convertTo(grey, CvType.CV_8U);
      Imgproc.resize(grey, grey, size, 0, 0, Imgproc.INTER_NEAREST);
      Imgproc.applyColorMap(
          grey, target, scores.length > 0 ? Imgproc.COLORMAP_VIRIDIS : Imgproc.COLORMAP_BONE);
    } finally {
      values.release();
      grey.release();
    }
  }

  /** Scores of the first site that has any, one per token; tokens gone before it get the lowest. */
  private static float[] scores(Trace trace, int tokens) {
    int[] alive = IntStream.range(0, tokens).toArray();
    for (SiteTrace site : trace.sites()) {
      float[] scores = site.scores();
      if (scores.length > 0 && scores.length == alive.length) {
        float lowest = Float.POSITIVE_INFINITY;
        for (float score : scores) {
          lowest = Math.min(lowest, score);
        }
        float[] spread = new float[tokens];
        Arrays.fill(spread, lowest);
        for (int i = 0; i < scores.length; i++) {
          spread[alive[i]] = scores[i];
        }
        return spread;
      }
      alive = alive(site);
    }
    return new float[0];
  }

  /** Tokens that go on from a site: those kept, and where merged ones came on top their origins. */
  private static int[] alive(SiteTrace site) {
    return IntStream.concat(Arrays.stream(site.keptOriginal()), Arrays.stream(site.addedOriginal()))
        .toArray();
  }
}
