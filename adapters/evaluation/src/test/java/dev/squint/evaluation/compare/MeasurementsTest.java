package dev.squint.evaluation.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.squint.evaluation.report.Summary;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MeasurementsTest {

  private static CostRecord.Request request(String config, int round, double prefill, long flops) {
    return new CostRecord.Request(config, 1, round, 1, prefill, 0.1, 0.5, 2 * prefill, flops);
  }

  @Test
  void speedupIsTheRatioOfMediansWithTheDoubtOfTheRounds() {
    List<CostRecord> lines = new ArrayList<>();
    for (int round = 0; round < 21; round++) {
      double slow = round % 7 == 0 ? 3 : 1;
      lines.add(request("none", round, 10 * slow + round * 0.01, 400));
      lines.add(request("fastv", round, 5 * slow + round * 0.005, 100));
      lines.add(request("odd", round, round % 2 == 0 ? 4 : 12, 100));
    }
    Measurements measurements = new Measurements(lines, 0);
    Summary.Measured even = measurements.of("fastv", "none").orElseThrow();
    assertThat(even.requests()).isEqualTo(21);
    assertThat(even.predicted()).isEqualTo(4);
    assertThat(even.speedup().value()).isCloseTo(2, within(1e-9));
    assertThat(even.speedup().low()).isCloseTo(2, within(1e-9));
    assertThat(even.speedup().high()).isCloseTo(2, within(1e-9));
    Summary.Measured odd = measurements.of("odd", "none").orElseThrow();
    assertThat(odd.speedup().value()).isCloseTo(10.1 / 4, within(0.02));
    assertThat(odd.speedup().low()).isLessThan(1);
    assertThat(odd.speedup().high()).isGreaterThan(2.5);
    Summary.Measured itself = measurements.of("none", "none").orElseThrow();
    assertThat(itself.speedup()).isEqualTo(new Summary.Estimate(1, 1, 1));
    assertThat(new Measurements(lines, 0).of("odd", "none")).contains(odd);
    assertThat(measurements.of("dart", "none")).isEmpty();
  }

  @Test
  void requestsOfOneProcessAreCompared() {
    List<CostRecord> lines = new ArrayList<>();
    for (int round = 0; round < 3; round++) {
      lines.add(new CostRecord.Request("none", 1, round, 1, 10, 0.1, 0.5, 20, 4));
      lines.add(new CostRecord.Request("fastv", 1, round, 1, 5, 0.1, 0.5, 10, 2));
      lines.add(new CostRecord.Request("none", 2, round, 1, 30, 0.1, 0.5, 60, 4));
      lines.add(new CostRecord.Request("dart", 2, round, 1, 10, 0.1, 0.5, 20, 2));
    }
    Measurements measurements = new Measurements(lines, 0);
    assertThat(measurements.of("fastv", "none").orElseThrow().speedup())
        .isEqualTo(new Summary.Estimate(2, 2, 2));
    assertThat(measurements.of("dart", "none").orElseThrow().speedup())
        .isEqualTo(new Summary.Estimate(3, 3, 3));
    assertThat(measurements.of("none", "none").orElseThrow().requests()).isEqualTo(6);
  }

  @Test
  void requestsWithoutAPartnerAreLeftOut() {
    List<CostRecord> lines =
        List.of(
            request("dart", 0, 500, 100),
            new CostRecord.Request("none", 2, 1, 1, 10, 0.1, 0.5, 20, 4),
            new CostRecord.Request("dart", 2, 1, 1, 5, 0.1, 0.5, 10, 2));
    Summary.Measured measured = new Measurements(lines, 0).of("dart", "none").orElseThrow();
    assertThat(measured.speedup()).isEqualTo(new Summary.Estimate(2, 2, 2));
    assertThat(measured.predicted()).isEqualTo(2);
    assertThat(measured.requests()).isEqualTo(1);
  }

  @Test
  void roundsThatOnlyOneHasStayOutOfTheInterval() {
    List<CostRecord> lines =
        List.of(
            request("none", 0, 10, 1),
            request("none", 1, 10, 1),
            request("none", 2, 500, 1),
            request("dart", 0, 5, 1),
            request("dart", 1, 5, 1));
    Summary.Estimate speedup =
        new Measurements(lines, 0).of("dart", "none").orElseThrow().speedup();
    assertThat(speedup).isEqualTo(new Summary.Estimate(2, 2, 2));
  }
}
