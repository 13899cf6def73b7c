package dev.squint.engine.internal.ort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.condition.OS.LINUX;

import com.sun.jna.Memory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;

class FreedMemoryTest {

  private static final int BLOCK = 64 << 10;
  private static final int BLOCKS = 1600;

  private static long residentBytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
        .sum();
  }

  /** Every block but the last is freed, so that the C library cannot give back the end. */
  @Test
  @EnabledOnOs(LINUX)
  void goesBackToTheSystem() throws IOException {
    List<Memory> blocks = new ArrayList<>();
    for (int i = 0; i < BLOCKS; i++) {
      Memory block = new Memory(BLOCK);
      block.clear();
      blocks.add(block);
    }
    try (Memory last = blocks.remove(BLOCKS - 1)) {
      blocks.forEach(Memory::close);
      long before = residentBytes();
      FreedMemory.giveBack();
      assertThat(before - residentBytes()).isGreaterThan((long) BLOCK * BLOCKS / 2);
      assertThat(last.getByte(0)).isZero();
    }
  }
}
