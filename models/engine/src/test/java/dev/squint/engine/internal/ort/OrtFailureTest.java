package dev.squint.engine.internal.ort;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtException.OrtErrorCode;
import dev.squint.error.ModelException;
import dev.squint.error.SquintException.Kind;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is left of ONNX Runtime's messages. */
class OrtFailureTest {

  static Stream<Arguments> reasons() {
    return Stream.of(
        Arguments.of(
            "Error code - ORT_INVALID_ARGUMENT - message: Got invalid dimensions for input: x\nPlease fix.",
            "Got invalid dimensions for input: x Please fix"),
        Arguments.of(
            "Error code - ORT_RUNTIME_EXCEPTION - message: Non-zero status code returned while running Add node. Name:'sum' Status Message: /onnxruntime_src/onnxruntime/core/providers/cpu/math/element_wise_ops.h:540 void onnxruntime::BroadcastIterator::Append(ptrdiff_t, ptrdiff_t) axis == 1 || axis == largest was false. Attempting to broadcast an axis by a dimension other than 1. 2 by 3\n",
            "node Add 'sum': Attempting to broadcast an axis by a dimension other than 1. 2 by 3"),
        Arguments.of(
            "Error code - ORT_RUNTIME_EXCEPTION - message: Exception during initialization: /a/b.h:26 onnxruntime::contrib::MultiHeadAttention<T>::MultiHeadAttention(const onnxruntime::OpKernelInfo&) [with T = float] num_heads_attr >= 0 && num_heads_attr <= std::numeric_limits<int>::max() was false. num_heads must be in range [0, 2147483647]. Actual value: 7355874867765581229\n",
            "num_heads must be in range [0, 2147483647]. Actual value: 7355874867765581229"),
        Arguments.of(
            "/a/b.cc:26 int f(int) rank == 2 was false. \n/a/c.cc:1 void g() it is so", "it is so"),
        Arguments.of("/a/b.cc:26 int f(int) rank == 2 was false", "rank == 2 was false"),
        Arguments.of(
            "Error code - ORT_RUNTIME_EXCEPTION - message: Exception during initialization: C:\\a\\b.cc:12 onnxruntime::common::Status onnxruntime::X::f(const std::vector<std::function<int(int)>>&, int) const [with T = std::array<int, 2>; U = int[3]] it is so\n",
            "it is so"),
        Arguments.of(
            "Error code - ORT_FAIL - message: Load model from /a/b c.onnx failed:This is an invalid model. In Node, (\"n\", Sqrt, \"\", -1) : (\"x\": tensor(int64),) -> (\"y\",) , Error Node (n) has input size 8 not in range [min=1, max=1].",
            "Node (n) has input size 8 not in range [min=1, max=1]"),
        Arguments.of(
            "Node (concat) Op (Concat) [TypeInferenceError] Input 0 expected to have type but instead is null",
            "Node (concat) Op (Concat) [TypeInferenceError] Input 0 has no type"),
        Arguments.of("a.cc:1 unfinished(signature", "unfinished(signature"),
        Arguments.of("", "it gives no reason"),
        Arguments.of("Error code - ORT_FAIL - message: ", "it gives no reason"),
        Arguments.of("\u001b[31mred\u0007 one", "?[31mred? one"));
  }

  @ParameterizedTest
  @MethodSource
  void reasons(String message, String reason) {
    assertThat(OrtFailure.reason(message)).isEqualTo(reason);
  }

  static Stream<Arguments> fixes() {
    return Stream.of(
        Arguments.of("Unsupported model IR version: 99, max supported IR version: 13", "older IR"),
        Arguments.of("Opset 99 is under development; opset 26 is the latest", "opset"),
        Arguments.of("Foo(1) is not a registered function/op", "operators that ONNX Runtime has"),
        Arguments.of("Failed to allocate memory for requested buffer of size 9", "more memory"),
        Arguments.of("anything else", "; try again"));
  }

  @ParameterizedTest
  @MethodSource
  void fixes(String message, String fix) {
    ModelException failure =
        OrtFailure.of(Kind.BAD_MODEL, "it failed", "try again", new OrtException(message));
    assertThat(failure).hasMessageStartingWith("it failed: " + message).hasMessageContaining(fix);
    assertThat(failure).hasCauseInstanceOf(OrtException.class);
  }

  static Stream<Arguments> kinds() {
    String memory = "Failed to allocate memory for requested buffer of size 9";
    return Stream.of(
        Arguments.of(OrtErrorCode.ORT_FAIL, "anything", Kind.BAD_MODEL, Kind.BAD_MODEL),
        Arguments.of(OrtErrorCode.ORT_FAIL, "anything", Kind.INTERNAL, Kind.INTERNAL),
        Arguments.of(OrtErrorCode.ORT_RUNTIME_EXCEPTION, memory, Kind.BAD_MODEL, Kind.OVERLOAD),
        Arguments.of(OrtErrorCode.ORT_FAIL, memory, Kind.INTERNAL, Kind.OVERLOAD),
        Arguments.of(OrtErrorCode.ORT_EP_FAIL, "CUDA 700", Kind.BAD_MODEL, Kind.INTERNAL),
        Arguments.of(OrtErrorCode.ORT_ENGINE_ERROR, "CUDA 700", Kind.BAD_MODEL, Kind.INTERNAL));
  }

  @ParameterizedTest
  @MethodSource
  void kinds(OrtErrorCode code, String message, Kind otherwise, Kind kind) {
    OrtException reported = new OrtException(code, message);
    assertThat(OrtFailure.of(otherwise, "it failed", "try again", reported).kind()).isEqualTo(kind);
  }

  @Test
  void longMessagesKeepTheirEnd() {
    String reason = OrtFailure.reason("node " + "x".repeat(1 << 20) + " has too many inputs");
    assertThat(reason).startsWith("node x").endsWith("has too many inputs").hasSizeLessThan(400);
  }
}
