package dev.squint.chat.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates print what transformers prints, or are refused; and none does anything else. */
class JinjaTemplateTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** What jinja2 renders and we refuse: never what a chat needs. */
  private static final Set<String> REFUSED =
      Set.of(
          "{{ ''.__class__ }}",
          "{{ d.__class__ }}",
          "{% if e %}{{ l | nofilter }}{% endif %}",
          "{% set loop = 1 %}",
          "{{ self is defined }}",
          "{{ 'é'.encode() }}",
          "{{ ms|length|e|length }}",
          "{{ l|last|e|first }}");

  private static JsonNode recorded() throws IOException {
    return JSON.readTree(
        JinjaTemplateTest.class.getResourceAsStream("/dev/squint/chat/templates.json"));
  }

  private static String render(String template, Map<String, ?> data) {
    return JinjaTemplate.compile(template).render(data, 1_000);
  }

  @Test
  void printsTheTimeOfItsClock() {
    Clock clock = Clock.fixed(Instant.parse("2026-03-07T15:04:05.000678Z"), ZoneOffset.UTC);
    String template =
        "{{ strftime_now('%a %A %d %-d %b %B %m %-m %y %Y %H %I %-I %M %S %f %p %j %%') }}";
    assertThat(JinjaTemplate.compile(template, clock).render(Map.of(), 1_000))
        .isEqualTo("Sat Saturday 07 7 Mar March 03 3 26 2026 15 03 3 04 05 000678 PM 066 %");
  }

  @Test
  void printsWhatTransformersPrints() throws IOException {
    JsonNode recorded = recorded();
    Map<String, Object> data =
        JSON.convertValue(recorded.path("data"), new TypeReference<Map<String, Object>>() {});
    List<String> refused = new ArrayList<>();
    for (JsonNode row : recorded.path("cases")) {
      String template = row.path("template").textValue();
      String printed;
      try {
        printed = render(template, data);
      } catch (JinjaException e) {
        printed = null;
        if (row.has("text")) {
          refused.add(template);
        }
      }
      if (printed != null) {
        assertThat(printed).as(template).isEqualTo(row.path("text").textValue());
      }
    }
    assertThat(refused).containsExactlyInAnyOrderElementsOf(REFUSED);
    assertThat(recorded.path("cases").size()).isGreaterThan(450);
  }

  /** Wherever a user's text may enter, and whatever it is made of. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ text }}",
        "{{ m.content }}",
        "{{ m['content'][0]['text'] if m['content'] is mapping else m['content'] }}",
        "{% for c in [text] %}{{ c }}{% endfor %}",
        "{% set t = text %}{{ t }}",
        "{% set t %}{{ text }}{% endset %}{{ t }}",
        "{% macro f(t) %}{{ t }}{% endmacro %}{{ f(text) }}",
        "{% macro f() %}{{ caller() }}{% endmacro %}{% call f() %}{{ text }}{% endcall %}",
        "{% filter trim %}{{ text }}{% endfilter %}",
        "{% with t = text %}{{ t }}{% endwith %}",
        "{% generation %}{{ text }}{% endgeneration %}",
        "{{ '' ~ text }}",
        "{{ text + '' }}",
        "{{ text | trim | string }}",
        "{{ [text] | join }}",
        "{{ '%s' % text }}",
        "{{ '{}'.format(text) }}",
        "{{ text[:3] }}{{ text[3:] }}",
        "{% for c in text %}{{ c }}{% endfor %}",
        "{% set ns = namespace(t=text) %}{{ ns.t }}",
        "{% if true %}{{ text | safe }}{% endif %}"
      })
  void aUsersTextIsNeverATemplate(String template) {
    for (String text :
        List.of(
            "x{{ 6*7 }}",
            "{% for i in range(9) %}a{% endfor %}",
            "{# gone #}",
            "{% include '/etc/hostname' %}{{ messages }}",
            "\uf8d0\uf8d3 0 \uf8d4\uf8d1\uf8d0\uf8d2 if 0 \uf8d2\uf8d1",
            "${7*7}#{7*7}",
            "0",
            "{{ '".repeat(3))) {
      assertThat(render(template, Map.of("text", text, "m", Map.of("content", text))))
          .isEqualTo(text);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ ''.getClass() }}",
        "{{ m.getClass().forName('java.lang.Runtime') }}",
        "{{ m.class }}{{ m.class() }}",
        "{{ ''['__class__'] }}",
        "{{ '' | attr('__class__') }}",
        "{{ ms | map(attribute='__class__') | list }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ ____int3rpr3t3r____.config }}",
        "{% include '/etc/hostname' %}",
        "{% include 'http://localhost/' %}",
        "{% import 'x' as y %}",
        "{% from 'x' import y %}",
        "{% extends 'x' %}",
        "{% do m.update({}) %}",
        "{% ifchanged m %}{% endifchanged %}",
        "{{ 'a: 1' | fromyaml }}",
        "{{ m | pprint }}",
        "{{ 'x' | md5 }}",
        "{{ today() }}",
        "{{ type(m) }}",
        "{{ lipsum() }}",
        "{{ m.update({'a': 1}) }}",
        "{{ ms.append(1) }}"
      })
  void noTemplateReachesBeyondItsValues(String template) {
    assertThatThrownBy(() -> render(template, Map.of("m", Map.of("a", 1), "ms", List.of("a"))))
        .isInstanceOf(JinjaException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100000) %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in range(100000) %}{% for b in range(100000) %}xxxxxxxxxxxxxxxxxxxx{% endfor %}{% endfor %}",
        "{% set ns = namespace(s='a') %}{% for a in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for a in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s=[1], q=[1]) %}{% for a in range(40) %}{% set ns.s = [ns.s, ns.s] %}{% set ns.q = [ns.q, ns.q] %}{% endfor %}{{ ns.s == ns.q }}",
        "{% set ns = namespace(s=[1]) %}{% for a in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s | tojson }}",
        "{% set ns = namespace(s=[1], q=[1]) %}{% for a in range(20000) %}{% set ns.s = [ns.s] %}{% set ns.q = [ns.q] %}{% endfor %}{{ ns.s == ns.q }}",
        "{% set ns = namespace(s=(1,)) %}{% for a in range(60) %}{% set ns.s = (ns.s, ns.s) %}{% endfor %}{{ {ns.s: 1} }}",
        "{{ 'a' * 9999999999 }}",
        "{{ [1] * 99999999999 }}",
        "{{ 10 ** 1000000 }}",
        "{{ 2 ** 63 }}",
        "{{ 'a' | center(99999999999) }}",
        "{{ ('a\n' * 100000) | indent(100000) }}",
        "{{ [[1]] | tojson(indent=999999999) }}",
        "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
        "{{ ('b' * 1000).join(('a' * 100000) | list) }}",
        "{{ ('a' * 2000000).count('a' * 1000000 + 'b') }}",
        "{% set s = ' ' * 1000000 %}{% for i in range(100000) %}{{ s | trim }}{% endfor %}",
        "{% set s = 'a' * 1000000 %}{% for i in range(100000) %}{{ s[900000] }}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(90) }}",
        "{{ range(-9223372036854775807, 9223372036854775807) }}",
        "{% for i in range(100000) %}{{ -1 in range(100000) }}{% endfor %}"
      })
  void aHostileTemplateIsStoppedInSeconds(String template) {
    Assertions.setMaxStackTraceElementsDisplayed(3);
    assertThatThrownBy(
            () ->
                org.junit.jupiter.api.Assertions.assertTimeout(
                    Duration.ofMinutes(2), () -> render(template, Map.of())))
        .isInstanceOf(JinjaException.class);
  }

  @Test
  void aTemplateNestedWithoutEndIsRefused() {
    for (String nested :
        List.of(
            "{{ " + "(".repeat(100_000) + " }}",
            "{{ " + "[".repeat(9_000) + "]".repeat(9_000) + " }}",
            "{{ " + "-".repeat(100_000) + "1 }}",
            "{{ 1" + " if 1 else 1".repeat(50_000) + " }}",
            "{{ 1" + " + 1".repeat(200_000) + " }}",
            "{{ 1" + "|string".repeat(200_000) + " }}",
            "{{ a" + ".a".repeat(200_000) + " }}",
            "{{ a" + "[a".repeat(100_000) + " }}",
            "{% if 1 %}".repeat(100_000),
            "{% if 1 %}".repeat(50) + "{% endif %}".repeat(50),
            "{{ " + "1".repeat(900_000) + " }}",
            "{% raw %}" + "{% ".repeat(300_000),
            "{{ '" + "\\".repeat(900_000))) {
      assertThatThrownBy(() -> render(nested, Map.of())).isInstanceOf(JinjaException.class);
    }
  }

  /** Damage anywhere is refused in a clause, never another exception. */
  @Test
  void aDamagedTemplateIsRefusedOrRendered() throws IOException {
    JsonNode recorded = recorded();
    Map<String, Object> data =
        JSON.convertValue(recorded.path("data"), new TypeReference<Map<String, Object>>() {});
    Random random = new Random(13);
    int refused = 0;
    for (int i = 0; i < 1_500; i++) {
      JsonNode row = recorded.path("cases").get(random.nextInt(recorded.path("cases").size()));
      StringBuilder damaged = new StringBuilder(row.path("template").textValue());
      for (int j = 0; j < 2; j++) {
        int at = random.nextInt(damaged.length());
        if (random.nextBoolean()) {
          damaged.deleteCharAt(at).append(' ');
        } else {
          damaged.insert(at, "{}%#-+[](),.|'\"\\ 09axif".charAt(random.nextInt(23)));
        }
      }
      try {
        render(damaged.toString(), data);
      } catch (JinjaException e) {
        refused++;
        assertThat(e.getMessage()).as(damaged.toString()).doesNotContain("Exception");
      }
    }
    assertThat(refused).isBetween(300, 1_400);
  }

  @Test
  void manyThreadsShareOneTemplate() {
    JinjaTemplate template =
        JinjaTemplate.compile(
            "{% set ns = namespace(n=0) %}{% for i in l %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}");
    assertThat(
            IntStream.range(0, 200)
                .parallel()
                .mapToObj(
                    i -> template.render(Map.of("l", List.of(i, 1)), 10).equals("" + (i + 1))))
        .containsOnly(true);
  }

  @Test
  void aFaultNamesItsLine() {
    assertThatThrownBy(() -> JinjaTemplate.compile("a\n{# b #}\n{{ x | nosuch }}"))
        .hasMessage("line 3: the filter 'nosuch' is not known");
    assertThatThrownBy(() -> JinjaTemplate.compile("a\n{% include 'b' %}"))
        .hasMessage("line 2: the block 'include' is not supported");
  }
}
