package dev.squint.image;

/**
 * Where a file tells how the camera was held. As in Pillow, a file of EXIF tags comes first, and
 * what XMP says counts where that is silent.
 *
 * @param exif where the EXIF tags begin, 0 if there are none
 * @param xmp where a text of XMP begins
 * @param xmpEnd where it ends; where it begins if there is none
 */
record CameraNotes(int exif, int xmp, int xmpEnd) {

  static final CameraNotes NONE = new CameraNotes(0, 0, 0);

  private static final String TAG = "tiff:Orientation";

  CameraNotes withExif(int at) {
    return new CameraNotes(at, xmp, xmpEnd);
  }

  CameraNotes withXmp(int from, int to) {
    return new CameraNotes(exif, from, to);
  }

  boolean hasExif() {
    return exif > 0;
  }

  boolean hasXmp() {
    return xmpEnd > xmp;
  }

  /**
   * How the camera was held; upright if nothing tells.
   *
   * @param data the file
   */
  Orientation orientation(byte[] data) {
    return Orientation.read(data, exif).orElseGet(() -> told(data));
  }

  private Orientation told(byte[] data) {
    for (int at = xmp; at <= xmpEnd - TAG.length() - 3; at++) {
      if (data[at] == 't' && isTag(data, at)) {
        int next = at + TAG.length();
        int digit = data[next] == '>' ? next + 1 : next + 2;
        if (data[next] == '>' || data[next] == '=' && data[next + 1] == '"') {
          return Orientation.of(data[digit] - '0');
        }
      }
    }
    return Orientation.UPRIGHT;
  }

  private static boolean isTag(byte[] data, int at) {
    for (int i = 0; i < TAG.length(); i++) {
      if (data[at + i] != TAG.charAt(i)) {
        return false;
      }
    }
    return true;
  }
}
