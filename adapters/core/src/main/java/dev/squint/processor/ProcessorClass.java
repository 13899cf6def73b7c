package dev.squint.processor;

import dev.squint.image.Resampler;
import java.util.Arrays;

/**
 * Image processors of transformers that differ in nothing but what they do where their file is
 * silent (those of 5.18), but for the padding of LLaVA's and the resizing of ConvNeXT's.
 */
enum ProcessorClass {
  CLIP("CLIP", new Resizing.ShortestEdge(224), false, 224, Resampler.BICUBIC, Channels.CLIP),
  CHINESE_CLIP(
      "ChineseCLIP", new Resizing.ShortestEdge(224), false, 224, Resampler.BICUBIC, Channels.CLIP),
  BIT("Bit", new Resizing.ShortestEdge(224), false, 224, Resampler.BICUBIC, Channels.CLIP),
  LLAVA("Llava", new Resizing.ShortestEdge(224), false, 224, Resampler.BICUBIC, Channels.CLIP),
  SIGLIP("Siglip", new Resizing.Exact(224, 224), false, 0, Resampler.BICUBIC, Channels.STANDARD),
  VIT("ViT", new Resizing.Exact(224, 224), true, 0, Resampler.BILINEAR, Channels.STANDARD),
  BLIP("Blip", new Resizing.Exact(384, 384), true, 0, Resampler.BICUBIC, Channels.CLIP),
  DEIT("DeiT", new Resizing.Exact(256, 256), true, 224, Resampler.BICUBIC, Channels.STANDARD),
  PVT("Pvt", new Resizing.Exact(224, 224), true, 0, Resampler.BICUBIC, Channels.IMAGENET),
  CONV_NEXT(
      "ConvNext", new Resizing.ShortestEdge(384), false, 0, Resampler.BICUBIC, Channels.STANDARD);

  private static final String SUFFIX = "ImageProcessor";

  private final String name;
  private final Resizing size;
  private final boolean square;
  private final int crop;
  private final Resampler resampler;
  private final Channels channels;

  ProcessorClass(
      String name,
      Resizing size,
      boolean square,
      int crop,
      Resampler resampler,
      Channels channels) {
    this.name = name;
    this.size = size;
    this.square = square;
    this.crop = crop;
    this.resampler = resampler;
    this.channels = channels;
  }

  /**
   * The class that a model folder names, whatever backend it was saved by. That of the model's type
   * if it names none, as transformers takes it.
   *
   * @throws dev.squint.error.ModelException if it is none of these
   */
  static ProcessorClass of(ProcessorFields fields) {
    String name = fields.type().orElse("Llava" + SUFFIX);
    return Arrays.stream(values())
        .filter(known -> name.equals(known.fullName()))
        .findFirst()
        .orElseThrow(
            () ->
                fields.unknownType(Arrays.stream(values()).map(ProcessorClass::fullName).toList()));
  }

  String fullName() {
    return name + SUFFIX;
  }

  /** How images are resized. */
  Resizing size() {
    return size;
  }

  /** Whether a size of one number is that of both sides, and not of the shorter one. */
  boolean square() {
    return square;
  }

  /** Whether the middle is cut out. */
  boolean crops() {
    return crop > 0;
  }

  /** Pixels a side of what is cut out; 0 if the class knows of no size. */
  int crop() {
    return crop;
  }

  Resampler resampler() {
    return resampler;
  }

  double[] mean() {
    return channels.mean.clone();
  }

  double[] deviation() {
    return channels.deviation.clone();
  }

  /** Means and standard deviations of red, green and blue. */
  private enum Channels {
    CLIP(Normalization.clipMean(), Normalization.clipDeviation()),
    IMAGENET(new double[] {0.485, 0.456, 0.406}, new double[] {0.229, 0.224, 0.225}),
    STANDARD(Normalization.half(), Normalization.half());

    private final double[] mean;
    private final double[] deviation;

    Channels(double[] mean, double[] deviation) {
      this.mean = mean;
      this.deviation = deviation;
    }
  }
}
