package dev.squint.pruning;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(
    packages = {"dev.squint.pruning", "dev.squint.error"},
    importOptions = DoNotIncludeTests.class)
class ArchitectureTest {

  @ArchTest
  static final ArchRule NEEDS_ONLY_THE_JDK =
      classes()
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("java..", "dev.squint.pruning..", "dev.squint.error");

  @ArchTest
  static final ArchRule CONTRACT_KNOWS_NO_STRATEGY =
      noClasses()
          .that()
          .resideInAPackage("dev.squint.pruning")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.squint.pruning.strategies..");
}
