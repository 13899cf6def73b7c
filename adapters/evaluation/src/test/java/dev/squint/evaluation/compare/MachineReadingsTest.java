package dev.squint.evaluation.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class MachineReadingsTest {

  @TempDir private Path folder;

  private void zone(String name, long microjoules) throws IOException {
    Path zone = Files.createDirectories(folder.resolve(name));
    Files.writeString(zone.resolve("energy_uj"), microjoules + "\n");
    Files.writeString(zone.resolve("max_energy_range_uj"), "10000000\n");
  }

  @Test
  void packagesAreSummedAndAWrappedCounterIsSeenThrough() throws IOException {
    zone("intel-rapl:0", 2_000_000);
    zone("intel-rapl:1", 9_000_000);
    zone("intel-rapl:0:0", 5);
    Energy energy = Energy.in(folder);
    assertThat(energy.zones()).hasSize(2);
    long[] before = energy.read();
    zone("intel-rapl:0", 3_500_000);
    zone("intel-rapl:1", 1_000_000);
    assertThat(energy.since(before).getAsDouble()).isCloseTo(1.5 + 2, within(1e-9));
  }

  @Test
  void withoutCountersEnergyIsLeftOut() {
    Energy energy = Energy.in(folder.resolve("nowhere"));
    assertThat(energy.isKnown()).isFalse();
    assertThat(energy.since(energy.read())).isEmpty();
  }

  @Test
  void peakMemoryIsWhatTheStatusSays() throws IOException {
    ResidentMemory memory = new ResidentMemory(folder);
    assertThat(memory.peak()).isEmpty();
    Files.writeString(
        folder.resolve("status"), "Name:\tjava\nVmHWM:\t  2048 kB\nVmRSS:\t 1024 kB\n");
    assertThat(memory.peak()).hasValue(2048 * 1024);
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void thePeakOfThisProcessCanBeRead() {
    assertThat(ResidentMemory.ofThisProcess().peak().orElseThrow()).isGreaterThan(1 << 24);
  }

  @Test
  void quantilesAreNearestRanks() {
    double[] twenty = IntStream.rangeClosed(1, 20).mapToDouble(i -> i).toArray();
    assertThat(Quantiles.median(twenty)).isEqualTo(10.5);
    assertThat(Quantiles.p95(twenty)).isEqualTo(19);
    assertThat(Quantiles.median(new double[] {7})).isEqualTo(7);
    assertThat(Quantiles.p95(new double[] {7})).isEqualTo(7);
  }
}
