package dev.squint.cli.torture;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** All kinds of input in turns, in one process. */
final class MixedCampaign implements Campaign {

  /** A kind for each remainder of a seed. */
  static final List<String> TURNS =
      List.of(
          "images",
          "own-images",
          "graphs",
          "images",
          "json",
          "own-images",
          "tokenizers",
          "images",
          "templates",
          "own-images",
          "splits",
          "graphs",
          "images",
          "images");

  private final Map<String, Campaign> campaigns = new HashMap<>();

  MixedCampaign(Path fixtures, Path scratch) throws IOException {
    for (String name : TURNS) {
      if (!campaigns.containsKey(name)) {
        campaigns.put(name, Campaign.of(name, fixtures, scratch.resolve(name)));
      }
    }
  }

  /** What a seed's turn is. */
  static String kind(long seed) {
    return TURNS.get(Math.floorMod(seed, TURNS.size()));
  }

  @Override
  public Verdict run(long seed, Path work) throws IOException {
    return campaigns.get(kind(seed)).run(seed, work);
  }

  @Override
  public void close() {
    campaigns.values().forEach(Campaign::close);
  }
}
