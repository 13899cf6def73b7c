package dev.squint.onnx.split;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.squint.error.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A split removes nothing but what splits have written. */
class SplitFolderTest {

  private static final Path EXPORT = Path.of("../fixtures/data/exports/llama-external-one");
  private final FileTime longAgo = FileTime.from(Instant.now().minusSeconds(7200));

  @TempDir Path temp;

  private static void split(Path model, Path out, boolean replace) {
    ModelSplitter.split(model, "", SplitOptions.at(Set.of(1)).replace(replace).build(), out);
  }

  private static Path decoder() {
    return EXPORT.resolve("decoder.onnx");
  }

  @Test
  void unfinishedFilesOfOtherProgramsStay() throws IOException {
    Path file = Files.writeString(temp.resolve(".download.part"), "not ours");
    Path folder = Files.createDirectory(temp.resolve(".project.part"));
    Path named =
        Files.writeString(
            temp.resolve(".x.00000000-0000-0000-0000-000000000000.squint-part"), "a file");
    for (Path path : List.of(file, folder, named)) {
      Files.setLastModifiedTime(path, longAgo);
    }
    split(decoder(), temp.resolve("out"), false);
    assertThat(List.of(file, folder, named)).allMatch(Files::exists);
  }

  @Test
  void aFolderWithOtherFilesIsNeverReplaced() throws IOException {
    Path out = Files.createDirectory(temp.resolve("out"));
    Path thesis = Files.writeString(out.resolve("thesis.txt"), "years of work");
    refused("it holds thesis.txt", decoder(), out);
    assertThat(thesis).hasContent("years of work");
    Files.delete(thesis);
    split(decoder(), out, true);
    Files.writeString(out.resolve("notes.txt"), "mine");
    refused("it holds notes.txt", decoder(), out);
    assertThat(out.resolve("notes.txt")).hasContent("mine");
    assertThat(out.resolve("segment-01.onnx")).exists();
  }

  @Test
  void anotherManifestGivesNoLeave() throws IOException {
    Path out = Files.createDirectory(temp.resolve("out"));
    Files.writeString(out.resolve("manifest.json"), "{\"name\": \"a web page\"}");
    refused("it holds manifest.json", decoder(), out);
    Files.writeString(out.resolve("manifest.json"), "{");
    refused("it holds manifest.json", decoder(), out);
    assertThat(out.resolve("manifest.json")).hasContent("{");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"../out/thesis.txt", "%s", "sub/../thesis.txt", "a\\u0000b", "", ".", "..", "/"})
  void aManifestClaimsNothingByACrookedName(String name) throws IOException {
    Path out = Files.createDirectory(temp.resolve("out"));
    Path thesis = Files.writeString(out.resolve("thesis.txt"), "years of work");
    Path outside = Files.writeString(temp.resolve("thesis.txt"), "more of it");
    Files.writeString(
        out.resolve("manifest.json"),
        "{\"format\": \"squint-segments\", \"weights\": [\"%1$s\"], \"segments\": [{\"file\": \"%1$s\"}]}"
            .formatted(name.formatted(thesis)));
    refused("it holds thesis.txt", decoder(), out);
    assertThat(thesis).hasContent("years of work");
    assertThat(outside).hasContent("more of it");
  }

  @Test
  void whatLinksInAReplacedFolderLeadToStays() throws IOException {
    Path out = temp.resolve("out");
    split(decoder(), out, false);
    Path music = Files.createDirectory(temp.resolve("music"));
    Path song = Files.writeString(music.resolve("segment-00.onnx"), "la la");
    Files.delete(out.resolve("segment-00.onnx"));
    Files.createSymbolicLink(out.resolve("segment-00.onnx"), song);
    split(decoder(), out, true);
    assertThat(song).hasContent("la la");
    Files.createSymbolicLink(out.resolve("album"), music);
    refused("it holds album", decoder(), out);
    assertThat(song).hasContent("la la");
  }

  @Test
  void weightsThatLieInTheFolderAreNotReplaced() throws IOException {
    Path model = Files.createDirectory(temp.resolve("model"));
    Path out = model.resolve("parts");
    split(decoder(), out, false);
    Files.copy(EXPORT.resolve("decoder.onnx"), model.resolve("decoder.onnx"));
    Path data = model.resolve("decoder.onnx_data");
    Files.createSymbolicLink(data, out.resolve("decoder.onnx_data"));
    refused("the model lies in it", model.resolve("decoder.onnx"), out);
    assertThat(data).hasSameBinaryContentAs(EXPORT.resolve("decoder.onnx_data"));
  }

  @Test
  void aFileThatAppearsWhileTheSplitIsWrittenStays() throws IOException {
    Path out = temp.resolve("out");
    split(decoder(), out, false);
    SplitFolder folder = new SplitFolder(out);
    Path late = out.resolve("late.txt");
    assertThatThrownBy(
            () ->
                folder.replace(
                    work -> Files.writeString(late, "just written"),
                    () -> folder.requireReplaceable(List.of(decoder()))))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("it holds late.txt");
    assertThat(late).hasContent("just written");
    try (var left = Files.list(temp)) {
      assertThat(left).containsExactly(out);
    }
  }

  @Test
  void aFileIsNeverReplaced() throws IOException {
    Path out = Files.writeString(temp.resolve("out"), "a file");
    refused("is no folder", decoder(), out);
    assertThat(out).hasContent("a file");
  }

  @Test
  void theModelsOwnFolderIsNeverReplaced() throws IOException {
    Path model = Files.createDirectory(temp.resolve("model"));
    for (String file : List.of("decoder.onnx", "decoder.onnx_data")) {
      Files.copy(EXPORT.resolve(file), model.resolve(file));
    }
    refused("the model lies in it", model.resolve("decoder.onnx"), model);
    refused("the model lies in it", model.resolve("decoder.onnx"), temp);
    Path link = Files.createSymbolicLink(temp.resolve("link"), model);
    refused("is no folder", model.resolve("decoder.onnx"), link);
    assertThat(model.resolve("decoder.onnx")).exists();
  }

  @Test
  void aSplitIsReplacedAndNothingIsLeftNextToIt() throws IOException {
    Path out = temp.resolve("out");
    split(decoder(), out, false);
    split(decoder(), out, true);
    try (var left = Files.list(temp)) {
      assertThat(left).containsExactly(out);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "3"})
  void aCachedSplitOfAnotherVersionIsReplacedOnlyWhenAsked(String version) throws IOException {
    SplitOptions options = SplitOptions.at(Set.of(1)).build();
    Path split = ModelSplitter.splitCached(decoder(), "", options, temp);
    Path manifest = split.resolve("manifest.json");
    String own = Files.readString(manifest);
    String other = own.replaceFirst("\"version\" *: *2", "\"version\" : " + version);
    assertThat(other).isNotEqualTo(own);
    Files.writeString(manifest, other);
    assertThatThrownBy(() -> ModelSplitter.splitCached(decoder(), "", options, temp))
        .isInstanceOf(ModelException.class)
        .hasMessage(
            "%s holds a split whose manifest has version %s, and this Squint writes version 2; have it replaced (--force) or choose another folder",
            split, version);
    assertThat(manifest).hasContent(other);
    SplitOptions replacing = SplitOptions.at(Set.of(1)).replace(true).build();
    assertThat(ModelSplitter.splitCached(decoder(), "", replacing, temp)).isEqualTo(split);
    assertThat(manifest).hasContent(own);
  }

  private static void refused(String reason, Path model, Path out) {
    assertThatThrownBy(() -> split(model, out, true))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining(reason)
        .hasMessageContaining("choose another folder");
  }
}
