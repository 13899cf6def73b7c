package dev.squint.pruning.strategies.math;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PythonSetOrderTest {

  /** Expected orders: {@code list(set(numbers).copy())} in CPython 3.11. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          336 | 336
          159 409 671 | 671 409 159
          35 67 99 3 | 99 3 67 35
          379 601 64 524 224 | 64 224 601 379 524
          43 93 449 433 76 251 97 569 | 449 97 43 76 433 569 251 93
          611 35 67 99 131 163 3 640 | 640 99 35 67 611 131 163 3
          9 41 73 105 137 169 201 233 265 297 329 361 | 73 9 137 105 41 169 201 233 265 297 329 361
          197 386 104 565 69 582 66 638 215 513 549 442 326 481 604 469 | \
          513 386 66 69 197 582 326 469 215 604 481 549 104 565 442 638
          173 355 160 505 436 45 689 84 576 591 326 353 363 613 513 598 472 75 100 | \
          576 513 326 75 591 84 598 472 160 353 355 100 613 363 173 45 689 436 505
          258 412 405 513 87 175 464 416 567 289 145 445 568 290 430 372 394 241 159 89 185 242 679 243 17 501 608 \
          191 274 293 9 154 434 552 383 629 584 331 133 532 | \
          513 258 133 9 394 145 17 274 532 405 154 412 159 416 289 290 293 679 552 430 175 434 567 568 185 445 191 \
          584 331 464 87 89 608 241 242 243 372 501 629 383
          """)
  void walksAsCPython(String numbers, String expected) {
    assertThat(PythonSetOrder.of(parsed(numbers))).containsExactly(parsed(expected));
  }

  /** Eight places lie in a table of 32: by remainder, where no two have the same. */
  @Test
  void eightGoByRemainder() {
    assertThat(PythonSetOrder.of(new int[] {64, 31, 33, 98, 5, 40, 320 + 7, 30}))
        .containsExactly(64, 33, 98, 5, 327, 40, 30, 31);
  }

  @Test
  void aNumberIsWalkedOnce() {
    assertThat(PythonSetOrder.of(new int[] {4, 4, 1, 4})).containsExactly(1, 4);
    assertThat(PythonSetOrder.of(new int[0])).isEmpty();
  }

  private static int[] parsed(String numbers) {
    return Arrays.stream(numbers.split(" ")).mapToInt(Integer::parseInt).toArray();
  }
}
