package dev.squint.engine.internal.ort;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtException.OrtErrorCode;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import dev.squint.onnx.internal.io.Printable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Turns what ONNX Runtime reports into one line: what failed, its reason, the fix. Its own messages
 * run over several lines and name C++ functions and source files, which tell a user nothing; they
 * stay with the cause.
 */
final class OrtFailure {

  private static final int LONGEST = 300;

  /** Names out of a file make messages of any length. */
  private static final int READ = 4096;

  /** What is said before the reason: codes, the call that failed, all tensors of a node. */
  private static final Pattern INTRODUCTION =
      Pattern.compile(
          "^Error code - \\w+ - message: ?|^Exception during (?:initialization|loading): |^Load model from .{0,4096}? failed: ?|^This is an invalid model\\. (?:In Node, .*, Error |Error: )?");

  private static final Pattern AT_NODE =
      Pattern.compile(
          "Non-zero status code returned while running (\\w+) node\\. Name:'(.*?)' Status Message: ");

  /** Where a check failed: source file and line, before the signature of its function. */
  private static final Pattern SOURCE =
      Pattern.compile("\\S*\\.(?:cc|cpp|cxx|cu|cuh|c|h|hpp|inc):\\d+:?\\s*");

  /** How a check ends: its condition, and this. */
  private static final Pattern FAILED = Pattern.compile("\\s(?:was|is) false\\.?(?:\\s+|$)");

  private OrtFailure() {}

  /**
   * The exception to throw.
   *
   * @param kind whose fault it is, unless memory is short or the device fails
   * @param what what could not be done, such as {@code ONNX Runtime refuses decoder.onnx}
   * @param fix what to do where the reason itself tells nothing better
   * @param e what ONNX Runtime reports
   */
  static ModelException of(Kind kind, String what, String fix, OrtException e) {
    String reason = reason(String.valueOf(e.getMessage()));
    return new ModelException(
        kind(reason, e.getCode(), kind), "%s: %s; %s".formatted(what, reason, fix(reason, fix)), e);
  }

  private static Kind kind(String reason, OrtErrorCode code, Kind otherwise) {
    if (lacksMemory(reason)) {
      return Kind.OVERLOAD;
    }
    // By name, since older versions of ONNX Runtime lack some.
    return switch (code.name()) {
      case "ORT_ENGINE_ERROR", "ORT_EP_FAIL", "ORT_DEVICE_RESET", "ORT_MODEL_LOAD_CANCELED" ->
          Kind.INTERNAL;
      default -> otherwise;
    };
  }

  private static boolean lacksMemory(String reason) {
    return reason.contains("allocat") || reason.contains("memory");
  }

  /** The reason alone, in one line of a few hundred characters. */
  static String reason(String message) {
    String text = withoutSources(shortened(message.strip().replaceAll("\\s+", " "), READ)).strip();
    String rest = INTRODUCTION.matcher(text).replaceFirst("").strip();
    while (!rest.equals(text)) {
      text = rest;
      rest = INTRODUCTION.matcher(text).replaceFirst("").strip();
    }
    text = AT_NODE.matcher(text).replaceAll("node $1 '$2': ");
    text = text.replace("expected to have type but instead is null", "has no type");
    while (text.endsWith(".") || text.endsWith(":")) {
      text = text.substring(0, text.length() - 1).strip();
    }
    if (text.isEmpty()) {
      return "it gives no reason";
    }
    return Printable.of(shortened(text, LONGEST), 2 * LONGEST);
  }

  /** The reason stands at the end, what it is about at the beginning. */
  private static String shortened(String text, int longest) {
    return text.length() <= longest
        ? text
        : text.substring(0, longest / 3).strip()
            + " ... "
            + text.substring(text.length() - longest * 2 / 3).strip();
  }

  private static String withoutSources(String text) {
    StringBuilder kept = new StringBuilder();
    Matcher source = SOURCE.matcher(text);
    int from = 0;
    while (source.find(from)) {
      kept.append(text, from, source.start());
      from = conditionEnd(text, signatureEnd(text, source.end()));
    }
    return kept.append(text.substring(from)).toString();
  }

  /** The end of the C++ condition of a check, where a sentence follows that says what it means. */
  private static int conditionEnd(String text, int from) {
    Matcher failed = FAILED.matcher(text);
    if (!failed.find(from)) {
      return from;
    }
    Matcher next = SOURCE.matcher(text);
    boolean isItsOwn = !next.find(from) || next.start() > failed.start();
    return isItsOwn && failed.end() < text.length() ? failed.end() : from;
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
    if (reason.contains("No Op registered")
        || reason.contains("is not a registered function/op")
        || reason.contains("Could not find an implementation")) {
      return "export it again with operators that ONNX Runtime has";
    }
    if (lacksMemory(reason)) {
      return "choose a smaller model or image, or give the process more memory";
    }
    return otherwise;
  }
}
