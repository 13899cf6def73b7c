package dev.squint.cli.torture;

import dev.squint.Answer;
import dev.squint.PreparedImage;
import dev.squint.Squint;
import dev.squint.image.ImageInput;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Damaged and hostile image files, from bytes and from a file. */
final class ImageCampaign implements Campaign {

  private static final int ASKED = 16;

  private final Squint squint;
  private final List<byte[]> seeds;

  private ImageCampaign(Squint squint, List<byte[]> seeds) {
    this.squint = squint;
    this.seeds = seeds;
  }

  /** Images of all kinds. */
  static ImageCampaign ofAll(Path model) {
    // The seeds need the native library that comes with the model.
    Squint squint = Squint.load(model, Answering.options());
    return new ImageCampaign(squint, ImageSeeds.all());
  }

  /** Images whose pixels Java decodes. */
  static ImageCampaign ofOwnDecoders(Path model) {
    return new ImageCampaign(Squint.load(model, Answering.options()), ImageSeeds.ofOwnDecoders());
  }

  @Override
  public Verdict run(long seed, Path work) throws IOException {
    SplittableRandom random = new SplittableRandom(seed);
    byte[] base = seeds.get(random.nextInt(seeds.size()));
    byte[] hostile = new ImageMutator(random, seeds).mutate(base);
    Path file = Files.write(work.resolve("image"), hostile);
    boolean asks = random.nextInt(ASKED) == 0;
    return Verdict.of(
            () -> random.nextBoolean() ? see(ImageInput.of(file)) : see(ImageInput.of(hostile)))
        .and(asks ? Verdict.of(() -> twice(ImageInput.of(hostile))) : Verdict.answered());
  }

  private Object see(ImageInput image) {
    try (PreparedImage seen = squint.prepare(image)) {
      return seen;
    }
  }

  /** Memory that was never written would differ from one decoding to the next. */
  private Object twice(ImageInput image) {
    Answer answer = Answering.ask(squint, image, "what is it?", "none");
    byte[] first = squint.overlay(image, answer.trace());
    if (!Arrays.equals(first, squint.overlay(image, answer.trace()))) {
      throw new AssertionError("decoded twice, the image differs");
    }
    return answer;
  }

  @Override
  public void close() {
    squint.close();
  }
}
