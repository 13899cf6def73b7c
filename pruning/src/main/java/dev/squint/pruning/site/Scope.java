package dev.squint.pruning.site;

import dev.squint.pruning.layout.VisualSpan;
import java.util.ArrayList;
import java.util.List;

/** Over which visual tokens a budget is counted, and among which tokens it chooses. */
public enum Scope {
  /** All visual tokens of the request together. */
  REQUEST,
  /** Each image or video for itself. */
  IMAGE,
  /** Each tile of each image for itself; an image without tiles is one. */
  TILE,
  /** Each frame of each video for itself; an image is one. */
  FRAME;

  /**
   * Neighbouring tokens that share a budget.
   *
   * @param from the first, a live visual token
   * @param to the first after them
   */
  public record Group(int from, int to) {

    /**
     * Counts the tokens.
     *
     * @return {@code to - from}
     */
    public int size() {
      return to - from;
    }
  }

  /**
   * Divides the live visual tokens of a site.
   *
   * @param context the request at the site
   * @return groups in order that cover all of them; none if there is no token
   */
  public List<Group> groups(SiteContext context) {
    if (coversAll(context.layout().visual())) {
      int all = context.visualTokens();
      return all == 0 ? List.of() : List.of(new Group(0, all));
    }
    List<VisualSpan> spans = context.spans();
    List<Group> groups = new ArrayList<>();
    int from = 0;
    for (int token = 1; token <= spans.size(); token++) {
      if (token == spans.size() || !together(spans.get(token - 1), spans.get(token))) {
        groups.add(new Group(from, token));
        from = token;
      }
    }
    return groups;
  }

  /** Whether all visual tokens of a prompt share one budget. */
  private boolean coversAll(List<VisualSpan> spans) {
    return this == REQUEST || spans.stream().allMatch(span -> together(spans.get(0), span));
  }

  private boolean together(VisualSpan one, VisualSpan other) {
    return switch (this) {
      case REQUEST -> true;
      case IMAGE -> one.image() == other.image();
      case TILE, FRAME -> one.image() == other.image() && one.part() == other.part();
    };
  }
}
