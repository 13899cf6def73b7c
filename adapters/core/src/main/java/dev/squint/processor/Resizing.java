package dev.squint.processor;

/** To which size an image processor resizes. Sides are in pixels. */
sealed interface Resizing {

  /**
   * The size of an image once it is resized.
   *
   * @param width its pixels a row
   * @param height its rows
   */
  Size of(int width, int height);

  /**
   * A size in pixels.
   *
   * @param width pixels a row
   * @param height rows
   */
  record Size(int width, int height) {}

  /**
   * To the same size whatever the shape.
   *
   * @param height rows
   * @param width pixels a row
   */
  record Exact(int height, int width) implements Resizing {
    @Override
    public Size of(int imageWidth, int imageHeight) {
      return new Size(width, height);
    }
  }

  /**
   * So that the shorter side fits.
   *
   * @param edge the shorter side
   */
  record ShortestEdge(int edge) implements Resizing {
    @Override
    public Size of(int width, int height) {
      int shorter = Math.min(width, height);
      int longer = (int) ((long) edge * Math.max(width, height) / shorter);
      return width <= height ? new Size(edge, longer) : new Size(longer, edge);
    }
  }

  /**
   * So that the shorter side fits, or the longer one if that would become too long.
   *
   * @param shortest the shorter side
   * @param longest the longer side at most
   */
  record BothEdges(int shortest, int longest) implements Resizing {
    @Override
    public Size of(int width, int height) {
      double shorter = Math.min(width, height);
      double longer = Math.max(width, height);
      boolean bounded = longer / shorter * shortest > longest;
      double exact = bounded ? longest * shorter / longer : shortest;
      int edge = (int) Math.rint(exact);
      if (Math.min(width, height) == edge) {
        return new Size(width, height);
      }
      return width < height
          ? new Size(edge, (int) (exact * height / width))
          : new Size((int) (exact * width / height), edge);
    }
  }

  /**
   * As large as fits into a box.
   *
   * @param height rows at most
   * @param width pixels a row at most
   */
  record Within(int height, int width) implements Resizing {
    @Override
    public Size of(int imageWidth, int imageHeight) {
      double scale = Math.min((double) height / imageHeight, (double) width / imageWidth);
      return new Size((int) (imageWidth * scale), (int) (imageHeight * scale));
    }
  }
}
