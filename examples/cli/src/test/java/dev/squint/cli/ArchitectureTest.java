package dev.squint.cli;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.codeUnits;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What may know what. */
@AnalyzeClasses(packages = "dev.squint", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

  private static final Path ROOT = Path.of("").toAbsolutePath().getParent().getParent();

  private static final DescribedPredicate<JavaClass> CORE =
      describe(
          "core",
          type ->
              type.getPackageName().startsWith("dev.squint")
                  && Stream.of("error", "pruning", "onnx", "engine", "evaluation", "cli")
                      .map("dev.squint."::concat)
                      .noneMatch(other -> (type.getPackageName() + ".").startsWith(other + ".")));

  @ArchTest
  static final ArchRule ARROWS_POINT_ONE_WAY =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("pruning")
          .definedBy("dev.squint.pruning..", "dev.squint.error")
          .layer("onnx")
          .definedBy("dev.squint.onnx..")
          .layer("engine")
          .definedBy("dev.squint.engine..")
          .layer("core")
          .definedBy(CORE)
          .layer("evaluation")
          .definedBy("dev.squint.evaluation..")
          .layer("cli")
          .definedBy("dev.squint.cli..")
          .whereLayer("cli")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("evaluation")
          .mayOnlyBeAccessedByLayers("cli")
          .whereLayer("core")
          .mayOnlyBeAccessedByLayers("evaluation", "cli")
          .whereLayer("engine")
          .mayOnlyBeAccessedByLayers("core", "evaluation", "cli")
          .whereLayer("onnx")
          .mayOnlyBeAccessedByLayers("engine", "core", "evaluation", "cli");

  @ArchTest
  static final ArchRule PACKAGES_FORM_NO_CYCLES =
      slices().matching("dev.squint.(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule PRUNING_AND_ONNX_ARE_FREE_OF_NATIVE_CODE =
      noClasses()
          .that()
          .resideInAnyPackage("dev.squint.pruning..", "dev.squint.onnx..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "ai.onnxruntime..", "ai.djl..", "org.opencv..", "nu.pattern..", "com.sun.jna..");

  @ArchTest
  static final ArchRule ONNX_KNOWS_OF_PRUNING_ONLY_WHAT_CAN_BE_OBSERVED =
      noClasses()
          .that()
          .resideInAPackage("dev.squint.onnx..")
          .should()
          .dependOnClassesThat(
              describe(
                  "are of pruning but not observations",
                  type ->
                      type.getPackageName().startsWith("dev.squint.pruning")
                          && !type.getPackageName().equals("dev.squint.pruning.observe")));

  @ArchTest
  static final ArchRule ONLY_THE_INSIDE_OF_THE_ENGINE_KNOWS_ONNX_RUNTIME =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.squint.engine.internal..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("ai.onnxruntime..");

  @ArchTest
  static final ArchRule NO_METHOD_OF_THE_API_SHOWS_WHAT_IS_INTERNAL =
      codeUnits()
          .that(describe("can be called from other modules", ArchitectureTest::isApi))
          .should(showNothing("internal", ArchitectureTest::isInternal));

  @ArchTest
  static final ArchRule NO_FIELD_OF_THE_API_SHOWS_WHAT_IS_INTERNAL =
      noFields()
          .that(describe("can be seen from other modules", ArchitectureTest::isApi))
          .should()
          .haveRawType(describe("internal", ArchitectureTest::isInternal));

  @ArchTest
  static final ArchRule THE_LIBRARY_KNOWS_NO_COMMAND_LINE =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.squint.cli..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("picocli..", "me.tongfei..");

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

  private static boolean isInternal(JavaClass type) {
    return (type.getBaseComponentType().getPackageName() + ".").contains(".internal.");
  }

  /** Neither results, parameters nor exceptions are of such types, nor their type arguments. */
  private static ArchCondition<JavaCodeUnit> showNothing(String what, Predicate<JavaClass> type) {
    return new ArchCondition<>("show nothing " + what) {
      @Override
      public void check(JavaCodeUnit unit, ConditionEvents events) {
        Stream.concat(
                Stream.concat(Stream.of(unit.getReturnType()), unit.getParameterTypes().stream())
                    .flatMap(shown -> shown.getAllInvolvedRawTypes().stream()),
                unit.getExceptionTypes().stream())
            .filter(type)
            .forEach(
                shown ->
                    events.add(
                        SimpleConditionEvent.violated(
                            unit, unit.getFullName() + " shows " + shown.getName())));
      }
    };
  }

  /** Whether a member of a class outside of internal packages can be used from others. */
  private static boolean isApi(JavaMember member) {
    JavaClass owner = member.getOwner();
    return (member.getModifiers().contains(JavaModifier.PUBLIC)
            || member.getModifiers().contains(JavaModifier.PROTECTED))
        && owner.getModifiers().contains(JavaModifier.PUBLIC)
        && !isInternal(owner);
  }

  @ArchTest
  static void allArtifactsAreLookedAt(JavaClasses classes) {
    assertThat(classes.stream().map(JavaClass::getPackageName).collect(Collectors.toSet()))
        .contains(
            "dev.squint.pruning",
            "dev.squint.onnx.split",
            "dev.squint.engine",
            "dev.squint",
            "dev.squint.cli");
  }

  @ArchTest
  static void allMainCodeIsLinted(JavaClasses classes) throws IOException {
    String lint = Files.readString(ROOT.resolve("lint.xml"));
    try (Stream<Path> folders = Files.find(ROOT, 5, (path, kind) -> kind.isDirectory())) {
      List<String> main =
          folders
              .filter(folder -> folder.endsWith("src/main/java"))
              .map(folder -> ROOT.relativize(folder).toString().replace('\\', '/'))
              .filter(folder -> !folder.startsWith("."))
              .toList();
      assertThat(main)
          .contains("pruning/src/main/java", "examples/cli/src/main/java")
          .allMatch(folder -> lint.contains("<source>" + folder + "</source>"));
    }
  }

  @ArchTest
  static void everyPackageIsDescribed(JavaClasses classes) throws IOException {
    try (Stream<Path> files = Files.walk(ROOT)) {
      List<Path> bare =
          files
              .filter(file -> file.toString().matches(".*/src/main/java/.*\\.java"))
              .map(Path::getParent)
              .distinct()
              .filter(folder -> !Files.exists(folder.resolve("package-info.java")))
              .toList();
      assertThat(bare).isEmpty();
    }
  }
}
