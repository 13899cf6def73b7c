package dev.squint.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

@AnalyzeClasses(packages = "dev.squint", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

  @ArchTest
  static final ArchRule ARROWS_POINT_ONE_WAY =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("pruning")
          .definedBy("dev.squint.pruning..")
          .layer("models")
          .definedBy("dev.squint.models..")
          .layer("adapters")
          .definedBy("dev.squint.adapters..")
          .layer("evaluation")
          .definedBy("dev.squint.evaluation..")
          .layer("examples")
          .definedBy("dev.squint.examples..")
          .whereLayer("examples")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("evaluation")
          .mayOnlyBeAccessedByLayers("examples")
          .whereLayer("adapters")
          .mayOnlyBeAccessedByLayers("evaluation", "examples")
          .whereLayer("models")
          .mayOnlyBeAccessedByLayers("adapters", "evaluation", "examples")
          .whereLayer("pruning")
          .mayOnlyBeAccessedByLayers("models", "adapters", "evaluation", "examples");

  @ArchTest
  static final ArchRule PRUNING_HAS_NO_NATIVE_DEPENDENCY =
      noClasses()
          .that()
          .resideInAPackage("dev.squint.pruning..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "ai.onnxruntime..", "ai.onnx..", "ai.djl..", "org.opencv..", "nu.pattern..");

  @ArchTest
  static final ArchRule THE_COMMAND_LINE_USES_NO_INTERNALS =
      noClasses()
          .that()
          .resideInAPackage("dev.squint.examples..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.squint.evaluation.internal..");

  @ArchTest
  static final ArchRule STATIC_STATE_IS_FINAL =
      fields()
          .that()
          .areStatic()
          .and()
          .areDeclaredInClassesThat()
          .doNotHaveSimpleName("OrtRuntime")
          .should()
          .beFinal()
          .because("only the ONNX Runtime environment belongs to the process");

  @ArchTest
  static void allModulesAreLookedAt(JavaClasses classes) {
    assertThat(classes.stream().map(JavaClass::getPackageName).collect(Collectors.toSet()))
        .contains(
            "dev.squint.pruning",
            "dev.squint.models",
            "dev.squint.adapters",
            "dev.squint.evaluation",
            "dev.squint.examples");
  }

  @ArchTest
  static void everyPackageIsDescribed(JavaClasses classes) throws IOException {
    Path root = Path.of("").toAbsolutePath().getParent();
    for (String module :
        List.of("pruning", "models", "adapters", "adapters/evaluation", "examples")) {
      Path sources = root.resolve(module).resolve("src/main/java");
      try (Stream<Path> files = Files.walk(sources)) {
        List<Path> bare =
            files
                .filter(file -> file.toString().endsWith(".java"))
                .map(Path::getParent)
                .distinct()
                .filter(folder -> !Files.exists(folder.resolve("package-info.java")))
                .toList();
        assertThat(bare).isEmpty();
      }
    }
  }
}
