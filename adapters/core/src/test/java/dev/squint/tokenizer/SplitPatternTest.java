package dev.squint.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SplitPatternTest {

  /** Of GPT-2, Llama 3, Qwen, GPT-4o, Tekken, DeepSeek, CLIP, BLOOM, Falcon, SigLIP, T5, OLMo. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
        " ?[^(\\s|[.,!?…。，、।۔،])]+",
        "[0-9][0-9][0-9]",
        "\\s?\\p{L}+",
        "\\s+$",
        "[一-龥ࠀ-一가-퟿]+",
        "[!\"\\#\\$%\\&'\\(\\)\\*\\+,\\-\\.:;=\\?@\\[\\\\\\]\\^_`\\{\\|\\}\\~]",
        " {2,}",
        "\\s{2,}|[\\n\\r\\t]",
        "\\p{N}{1,3}(?=(?:\\p{N}{3})*\\b)",
        "\\p{Han}+|[\\p{L}&&[^\\p{Han}]]+"
      })
  void expressionsOfModelsAreTaken(String expression) {
    assertThat(SplitPattern.of(expression).shortest()).isPositive();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {
        "a* nothing",
        "^ nothing",
        "(?=a) nothing",
        "a|b? nothing",
        "(?:a|) nothing",
        "(a+)+b fixed",
        "(a|a)*b fixed",
        "(a?){30}b fixed",
        "a*a*b repeats",
        "(?=a*)a+b repeats",
        "a?a?a?a?a?a?a?a?a?b optional",
        "(a)\\1 \\1",
        "a\\Kb \\K",
        "(?<n>a) group",
        "(?~a) group",
        "(?#a)b group",
        "(*FAIL) stands",
        "(?x:a) group",
        "a{2}{2} repeated",
        "a{99} quantifier",
        "a** repeated",
        "a{1 quantifier",
        "(a closed",
        "a) many",
        "[a early",
        "[] early",
        "[]] empty",
        "[^] early",
        "\\p{L early",
        "(?<=a+)b back",
        "((((((((((a)))))))))) deeper",
      })
  void othersAreRefused(String expression, String reason) {
    assertThatThrownBy(() -> SplitPattern.of(expression))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(reason.equals("early") ? "" : reason);
  }

  @ParameterizedTest
  @CsvSource({
    "a+b, a",
    "x|a+b|c, a",
    "a+b|a, a",
    "a+b|a|a+, a",
    "a(?=c*)b, a group",
    "\\s+$, \\s",
    "a+b|a+, ''",
    "a+b|a+c|x?a+, ''",
    "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+, ''",
    "a++b, a",
    "a+, ''"
  })
  void repetitionsThatAreTriedFromEachStartAreKnown(String expression, String again) {
    assertThat(String.join("", SplitPattern.of(expression).again())).isEqualTo(again);
  }
}
