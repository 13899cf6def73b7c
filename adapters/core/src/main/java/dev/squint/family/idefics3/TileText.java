package dev.squint.family.idefics3;

/**
 * The text that stands for an image in a prompt: for each tile of the grid its place and as many
 * placeholders as it has visual tokens, a line break after each row; and the same for the tile that
 * shows all of the image.
 *
 * @param placeholder the text of a visual token
 * @param tokens visual tokens of a tile
 */
record TileText(String placeholder, int tokens) {

  static final String AROUND = "<fake_token_around_image>";
  static final String WHOLE = "<global-img>";

  /** What marks the tile in a row and a column, both counted from 1. */
  static String place(int row, int column) {
    return "<row_%d_col_%d>".formatted(row, column);
  }

  String of(Tiling tiling) {
    String visual = placeholder.repeat(tokens);
    StringBuilder text = new StringBuilder(tiling.tiles() * (visual.length() + 64));
    for (int row = 1; row <= tiling.rows(); row++) {
      for (int column = 1; column <= tiling.columns(); column++) {
        text.append(AROUND).append(place(row, column)).append(visual);
      }
      text.append('\n');
    }
    text.append(tiling.rows() > 0 ? "\n" : "").append(AROUND).append(WHOLE).append(visual);
    return text.append(AROUND).toString();
  }
}
