package dev.squint.evaluation.data;

/** How COCO names its images. */
final class CocoNames {

  private CocoNames() {}

  /** The names that an image number may have. */
  static String[] of(long image) {
    String number = "%012d.jpg".formatted(image);
    return new String[] {
      "COCO_val2014_" + number, "COCO_train2014_" + number, "COCO_test2015_" + number, number
    };
  }
}
