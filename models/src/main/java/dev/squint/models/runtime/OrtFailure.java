package dev.squint.models.runtime;

import ai.onnxruntime.OrtException;
import dev.squint.models.ModelException;
import dev.squint.models.graph.Printable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Turns what ONNX Runtime reports into one line: what failed, its reason, the fix. Its own messages
 * run over several lines and name C++ functions and source files, which tell a user nothing; they
 * stay with the cause.
 */
final class OrtFailure {

  private static final int LONGEST = 300;

  private static final Pattern CODE = Pattern.compile("^Error code - \\w+ - message: ");

  /** Where a check failed: source file and line, before the signature of its function. */
  private static final Pattern SOURCE =
      Pattern.compile("\\S*\\.(?:cc|cpp|cxx|cu|cuh|c|h|hpp|inc):\\d+:?\\s*");

  private OrtFailure() {}

  /**
   * The exception to throw.
   *
   * @param what what could not be done, such as {@code ONNX Runtime refuses decoder.onnx}
   * @param fix what to do where the reason itself tells nothing better
   * @param e what ONNX Runtime reports
   */
  static ModelException of(String what, String fix, OrtException e) {
    String reason = reason(String.valueOf(e.getMessage()));
    return new ModelException("%s: %s; %s".formatted(what, reason, fix(reason, fix)), e);
  }

  /** The reason alone, in one line of a few hundred characters. */
  static String reason(String message) {
    String text = CODE.matcher(message.strip()).replaceFirst("");
    text = withoutSources(text.replaceAll("\\s+", " ")).strip();
    while (text.endsWith(".") || text.endsWith(":")) {
      text = text.substring(0, text.length() - 1).strip();
    }
    if (text.isEmpty()) {
      return "it gives no reason";
    }
    return Printable.of(
        text.length() > LONGEST ? text.substring(0, LONGEST).strip() + "..." : text, LONGEST + 3);
  }

  private static String withoutSources(String text) {
    StringBuilder kept = new StringBuilder();
    Matcher source = SOURCE.matcher(text);
    int from = 0;
    while (source.find(from)) {
      kept.append(text, from, source.start());
      from = signatureEnd(text, source.end());
    }
    return kept.append(text.substring(from)).toString();
  }

  /**
   * The end of a signature such as {@code Status a::B::f(int, c<d(e)>) const [with T = float] }.
   */
  private static int signatureEnd(String text, int from) {
    int open = text.indexOf('(', from);
    int end = open < 0 ? -1 : closing(text, open, '(', ')');
    if (end < 0) {
      return from;
    }
    Matcher rest = Pattern.compile("\\G\\s*(?:const|noexcept)?\\s*").matcher(text);
    end = rest.find(end) ? rest.end() : end;
    if (text.startsWith("[with ", end)) {
      int closed = closing(text, end, '[', ']');
      end = closed < 0 ? end : closed;
    }
    return text.startsWith(": ", end) ? end + 2 : end;
  }

  private static int closing(String text, int open, char opening, char close) {
    int depth = 0;
    for (int i = open; i < text.length(); i++) {
      if (text.charAt(i) == opening) {
        depth++;
      } else if (text.charAt(i) == close && --depth == 0) {
        return i + 1;
      }
    }
    return -1;
  }

  private static String fix(String reason, String otherwise) {
    if (reason.contains("IR version") || reason.contains("opset")) {
      return "export it again for an older IR version and opset";
    }
    if (reason.contains("is not a registered function/op")
        || reason.contains("Could not find an implementation")) {
      return "export it again with operators that ONNX Runtime has";
    }
    if (reason.contains("allocat") || reason.contains("memory")) {
      return "choose a smaller model or picture, or give the process more memory";
    }
    return otherwise;
  }
}
