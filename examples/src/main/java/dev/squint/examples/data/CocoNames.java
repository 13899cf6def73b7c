package dev.squint.examples.data;

/** How COCO names its pictures. */
final class CocoNames {

  private CocoNames() {}

  /** The names that a picture number may have. */
  static String[] of(long image) {
    String number = "%012d.jpg".formatted(image);
    return new String[] {
      "COCO_val2014_" + number, "COCO_train2014_" + number, "COCO_test2015_" + number, number
    };
  }
}
