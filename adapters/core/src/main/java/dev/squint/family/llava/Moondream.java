package dev.squint.family.llava;

/** How Moondream2 is asked: its repositories hold no chat template, only code. */
final class Moondream {

  static final String TYPE = "moondream1";

  /** Jinja for what its {@code answer_question} puts around the question and the turns before. */
  static final String TEMPLATE =
      """
      {%- set seen = namespace(images=0) -%}
      {%- for turn in messages -%}
        {%- if turn['role'] == 'system' -%}
          {{- raise_exception('Moondream knows questions and answers only') -}}
        {%- endif -%}
        {%- for part in turn['content'] -%}
          {%- if part['type'] == 'image' -%}
            {%- set seen.images = seen.images + 1 -%}
            {%- if seen.images > 1 or not loop.first or turn != messages[0] -%}
              {{- raise_exception('Moondream sees one image, before the first question') -}}
            {%- endif -%}
            {{- '<image>\\n\\n' -}}
          {%- endif -%}
        {%- endfor -%}
        {{- 'Question: ' if turn['role'] == 'user' else ' ' -}}
        {%- for part in turn['content'] -%}
          {%- if part['type'] == 'text' -%}{{- part['text'] -}}{%- endif -%}
        {%- endfor -%}
        {{- '\\n\\nAnswer:' if turn['role'] == 'user' else '\\n\\n' -}}
      {%- endfor -%}
      """;

  private Moondream() {}
}
