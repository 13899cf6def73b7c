package dev.squint.overlay;

import dev.squint.image.RgbImage;
import dev.squint.pruning.trace.SiteTrace;
import dev.squint.pruning.trace.Trace;
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
 * Draws which patches were kept: left the image with dropped patches dimmed, right the scores of
 * the first site that has any, as a heat map (without scores, kept white and dropped black).
 *
 * @param rows patches from top to bottom
 * @param columns patches from left to right
 */
public record Overlay(int rows, int columns) {

  private static final int SIDE = 480;
  private static final double DIM = 0.22;

  /** An encoded PNG, two panels of about 480 pixels a side. */
  public byte[] draw(RgbImage image, Trace trace) {
    Mat left = image.toMat();
    Mat right = new Mat();
    Mat both = new Mat();
    MatOfByte png = new MatOfByte();
    try {
      int patch = Math.max(1, SIDE / Math.max(rows, columns));
      Size size = new Size(columns * patch, rows * patch);
      Imgproc.resize(left, left, size, 0, 0, Imgproc.INTER_NEAREST);
      boolean[] kept = kept(trace);
      dim(left, kept, patch);
      heat(trace, kept, size, right);
      Core.hconcat(List.of(left, right), both);
      Imgcodecs.imencode(".png", both, png);
      return png.toArray();
    } catch (CvException e) {
      throw new OverlayException("the overlay cannot be drawn; ask without one", e);
    } finally {
      left.release();
      right.release();
      both.release();
      png.release();
    }
  }

  private boolean[] kept(Trace trace) {
    boolean[] kept = new boolean[rows * columns];
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

  private void dim(Mat image, boolean[] kept, int patch) {
    for (int i = 0; i < kept.length; i++) {
      if (!kept[i]) {
        int top = i / columns * patch;
        int left = i % columns * patch;
        Mat cell = image.submat(top, top + patch, left, left + patch);
        cell.convertTo(cell, -1, DIM);
        cell.release();
      }
    }
  }

  private void heat(Trace trace, boolean[] kept, Size size, Mat target) {
    float[] scores = scores(trace);
    Mat map = new Mat(rows, columns, CvType.CV_32F);
    Mat grey = new Mat();
    try {
      for (int i = 0; i < kept.length; i++) {
        float value = scores.length > 0 ? scores[i] : kept[i] ? 1 : 0;
        map.put(i / columns, i % columns, value);
      }
      Core.normalize(map, map, 0, 255, Core.NORM_MINMAX);
      map.convertTo(grey, CvType.CV_8U);
      Imgproc.resize(grey, grey, size, 0, 0, Imgproc.INTER_NEAREST);
      Imgproc.applyColorMap(
          grey, target, scores.length > 0 ? Imgproc.COLORMAP_VIRIDIS : Imgproc.COLORMAP_BONE);
    } finally {
      map.release();
      grey.release();
    }
  }

  /**
   * Scores of the first site that has any, one per patch; patches gone before it get the lowest.
   */
  private float[] scores(Trace trace) {
    int[] alive = IntStream.range(0, rows * columns).toArray();
    for (SiteTrace site : trace.sites()) {
      float[] scores = site.scores();
      if (scores.length > 0 && scores.length == alive.length) {
        float lowest = Float.POSITIVE_INFINITY;
        for (float score : scores) {
          lowest = Math.min(lowest, score);
        }
        float[] spread = new float[rows * columns];
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

  /**
   * Patches that go on from a site: those kept, and where merged ones came on top their origins.
   */
  private static int[] alive(SiteTrace site) {
    return IntStream.concat(Arrays.stream(site.keptOriginal()), Arrays.stream(site.addedOriginal()))
        .toArray();
  }
}
