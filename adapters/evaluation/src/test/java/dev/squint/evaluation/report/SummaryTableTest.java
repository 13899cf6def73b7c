package dev.squint.evaluation.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SummaryTableTest {

  private static List<CSVRecord> rows(boolean measured) throws IOException {
    String text =
        new String(SummaryTable.bytes(Synthetic.summary(2, measured)), StandardCharsets.UTF_8);
    return CSVFormat.RFC4180
        .builder()
        .setHeader()
        .setSkipHeaderRecord(true)
        .get()
        .parse(new StringReader(text))
        .getRecords();
  }

  private static CSVRecord row(List<CSVRecord> rows, String config) {
    return rows.stream().filter(row -> row.get("cell").equals(config)).findFirst().orElseThrow();
  }

  private static boolean whole(CSVRecord row, String... names) {
    return Stream.of(names).allMatch(name -> row.get(name).matches("\\d+"));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void everyRowHasAllColumns(boolean measured) throws IOException {
    List<CSVRecord> rows = rows(measured);
    assertThat(rows).allMatch(CSVRecord::isConsistent);
    assertThat(row(rows, "mustdrop:keep=0.05").get("refused")).contains("too <few> tokens");
    assertThat(row(rows, "none").get("answers_per_second_16_callers"))
        .isEqualTo(measured ? "190.0" : "");
    assertThat(whole(row(rows, "none"), "exact_match_correct", "prefill_flops", "kv_bytes"))
        .as("counts are whole numbers")
        .isTrue();
    assertThat(row(rows, "method-1:keep=0.25").get("peak_bytes"))
        .isEqualTo(measured ? "500000000" : "");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void randomDrawsTellTheirSpreadAndTypesTheirIntervals(boolean measured) throws IOException {
    List<CSVRecord> rows = rows(measured);
    CSVRecord draw = row(rows, "random:keep=0.5 seed 1");
    assertThat(Double.parseDouble(draw.get("seeds_mean"))).isEqualTo(0.51 + 0.4 * 0.5);
    assertThat(Double.parseDouble(draw.get("seeds_deviation"))).isEqualTo(0.01);
    assertThat(row(rows, "resize:keep=0.5").get("seeds_mean")).isEmpty();
    CSVRecord whole = row(rows, "none");
    assertThat(whole.get("type_count")).isEqualTo("0.875");
    assertThat(whole.get("type_count_total")).isEqualTo("1000");
    assertThat(Double.parseDouble(whole.get("type_count_low"))).isLessThan(0.875);
    assertThat(Double.parseDouble(whole.get("type_count_high"))).isGreaterThan(0.875);
  }
}
