package dev.squint.cli.torture;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.random.RandomGenerator;

/** Makes chat templates that are broken, endless, recursive, greedy or just odd. */
record TemplateMutator(RandomGenerator random) {

  private static final List<String> SOUND =
      List.of(
          "{% for m in messages %}USER: {% for c in m['content'] %}{% if c['type'] == 'image' %}<image>\n{% else %}{{ c['text'] }}{% endif %}{% endfor %} ASSISTANT:{% endfor %}",
          "{{ bos_token }}{%- for m in messages -%}<|{{ m.role | upper }}|>\n{%- for c in m.content -%}{{ '<image>' if c.type == 'image' else c.text | trim }}{%- endfor -%}{{ eos_token }}{%- endfor -%}{% if add_generation_prompt %}<|A|>{% endif %}",
          "{% set ns = namespace(n=0) %}{% macro part(c) %}{% if c.type == 'image' %}{% set ns.n = ns.n + 1 %}<image>{% else %}{{ c['text'] }}{% endif %}{% endmacro %}{% for m in messages %}{{ loop.index0 }}{% for c in m.content %}{{ part(c) }}{% endfor %}{% endfor %}{{ ns.n }}",
          "{% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}{% for c in m.content | selectattr('type', 'equalto', 'image') %}<image>{% endfor %}{% for c in m.content | selectattr('type', 'equalto', 'text') %}{% generation %}{{ c.text }}{% endgeneration %}{% endfor %}{% endif %}{% endfor %}");

  private static final List<String> PIECES =
      List.of(
          "{% for i in range(999999999) %}{% for j in range(999999999) %}x{% endfor %}{% endfor %}",
          "{{ 'x' * 999999999 }}",
          "{{ ['x'] * 999999999 }}",
          "{% set a = 'xxxxxxxx' %}{% for i in range(60) %}{% set a = a + a %}{% endfor %}",
          "{% set ns = namespace(a='xxxxxxxx') %}{% for i in range(60) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}{{ ns.a | length }}",
          "{% macro f(x) %}{{ f(x) }}{{ f(x) }}{% endmacro %}{{ f(1) }}",
          "{% set l = [1] %}{% for i in l %}{{ l.append(i) }}{% endfor %}",
          "{% set d = {} %}{% set _ = d.update({'d': d}) %}{{ d | tojson }}{{ d }}",
          "{{ 9999999999999999999999 ** 99999 }}{{ 2 ** 9999999 }}{{ 1 // 0 }}{{ 7 % 0 }}{{ -7 // 2 }}",
          "{{ messages[::-1][0:99999999999999999999] }}{{ messages[::0] }}",
          "{{ ''.__class__.__mro__ }}{{ messages.__init__ }}{{ self }}{{ cycler }}",
          "{{ ''.getClass().forName('java.lang.Runtime') }}{{ ____int3rpr3t3r____ }}",
          "{% include '/etc/passwd' %}{% import 'a' as b %}{% extends 'x' %}",
          "{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' | replace('a', 'aaaaaaaaaaaaaaaaaa') | replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaa') }}",
          "{{ 'a' | center(2000000000) }}{{ '%2000000000d' | format(1) }}{{ '{:>2000000000}'.format(1) }}",
          "{{ 'a'.join(range(99999999)) }}{{ 'x'.ljust(999999999) }}{{ 'a b'.split('') }}",
          "{{ range(99999999) | list | tojson(indent=999999999) }}{{ range(5) | batch(0) | list }}",
          "{{ strftime_now('%Y %Q %') }}{{ raise_exception('no') }}{{ undefined.a.b }}",
          "{{ messages | map(attribute='content.0.type') | join(', ') | indent(999999999) }}",
          "{% raw %}{{ x }}{% endraw %}{# never closed",
          "{{ '\\ud800 \\x41 \\N{BULLET} \\777' }}{{ 1e999 }}{{ 1_000 }}{{ 0x1f }}{{ 1.5 | round(400) | int }}",
          "{% if %}{% elif %}{% else %}{% endif %}{% endfor %}{% break %}",
          "{%- set x %}{{ x }}{% endset -%}{% call(y) f(1) %}{{ y }}{% endcall %}{% filter upper %}a{% endfilter %}",
          "{% with a = 1, b = a %}{{ caller() }}{% endwith %}{{ loop.cycle(1, 2) }}{{ loop.changed(1) }}",
          "\u0000\ufffe\ud83d\ude00{{ '\u0000' }}");

  /** A template: sound ones with hostile pieces in them, and bytes changed here and there. */
  byte[] template() {
    StringBuilder text = new StringBuilder(SOUND.get(random.nextInt(SOUND.size())));
    int pieces = random.nextInt(4);
    for (int i = 0; i < pieces; i++) {
      text.insert(place(text), piece());
    }
    if (random.nextInt(6) == 0) {
      int from = place(text);
      text.delete(from, Math.min(text.length(), from + random.nextInt(40)));
    }
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    return random.nextInt(4) == 0 ? new ByteMutator(random).mutate(bytes) : bytes;
  }

  /** Mostly between two tags, so that the rest still makes sense. */
  private int place(StringBuilder text) {
    if (random.nextInt(4) > 0) {
      int tag = text.indexOf("{", random.nextInt(text.length() + 1));
      return tag < 0 ? text.length() : tag;
    }
    return random.nextInt(text.length() + 1);
  }

  private String piece() {
    return switch (random.nextInt(8)) {
      case 0 -> nested("{{ ", "(", ")", " }}");
      case 1 -> nested("{{ 1", "[", "]", " }}");
      case 2 -> nested("", "{% if true %}", "{% endif %}", "");
      default -> PIECES.get(random.nextInt(PIECES.size()));
    };
  }

  private String nested(String start, String open, String close, String end) {
    int depth = 1 << random.nextInt(16);
    return start + open.repeat(depth) + "1" + close.repeat(depth) + end;
  }
}
