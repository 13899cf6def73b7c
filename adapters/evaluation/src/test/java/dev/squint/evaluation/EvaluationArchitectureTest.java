package dev.squint.evaluation;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

@AnalyzeClasses(
    packages = "dev.squint.evaluation",
    importOptions = ImportOption.DoNotIncludeTests.class)
class EvaluationArchitectureTest {

  private static final Pattern OPTION = Pattern.compile("\"[^\"\n]*--[a-z]");

  @ArchTest
  static final ArchRule NO_CYCLES =
      slices()
          .assignedFrom(
              new SliceAssignment() {
                @Override
                public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
                  return SliceIdentifier.of(javaClass.getPackageName());
                }

                @Override
                public String getDescription() {
                  return "packages of the evaluation";
                }
              })
          .should()
          .beFreeOfCycles();

  @ArchTest
  static final ArchRule NO_COMMAND_LINE =
      noClasses().should().dependOnClassesThat().resideInAnyPackage("picocli..", "me.tongfei..");

  @ArchTest
  static void messagesNameNoOptionsOfACommandLine(JavaClasses classes) throws IOException {
    assertThat(classes).isNotEmpty();
    try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
      List<Path> sources = files.filter(file -> file.toString().endsWith(".java")).toList();
      assertThat(sources).hasSizeGreaterThan(50);
      for (Path source : sources) {
        assertThat(OPTION.matcher(Files.readString(source)).find()).as("%s", source).isFalse();
      }
    }
  }
}
