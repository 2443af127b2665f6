"""A chat template is rendered in a process of its own, within limits, and as transformers renders it."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from transformers import PreTrainedTokenizerBase
from transformers.utils import chat_template_utils

from koki.config import ModelConfig
from koki.errors import ModelError
from koki.model.source import find_base, load_tokenizer
from koki.tokens import rendering
from koki.tokens.sandbox import render

CONVERSATION = [
    {"role": "system", "content": "Kamu Koki."},
    {"role": "user", "content": "Resep soto? <b> é ½ 🍲"},
    {"role": "assistant", "content": "Ini dia.\n\nRebus ayam."},
]
CONVERSATIONS = [CONVERSATION, [*CONVERSATION, {"role": "user", "content": "Terima kasih."}]]

TEMPLATES = {
    "a default system prompt": """
        {%- if messages[0].role != 'system' %}{{- '<|im_start|>system\\nYou help.<|im_end|>\\n' }}{%- endif %}
        {%- for message in messages %}
            {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
        {%- endfor %}""",
    "thoughts of the last answer": """
        {%- set found = namespace(last=-1, several=true) %}
        {%- for message in messages[::-1] %}
            {%- set place = (messages|length - 1) - loop.index0 %}
            {%- if found.several and message.role == "user" %}
                {%- set found.several = false %}{%- set found.last = place %}
            {%- endif %}
        {%- endfor %}
        {%- for message in messages %}
            {%- set thoughts = message.reasoning_content if message.reasoning_content is string else '' %}
            {%- if message.role == "assistant" and loop.index0 > found.last %}
                {{- '<think>\\n' + thoughts.strip('\\n') + '\\n</think>\\n\\n' + message.content.lstrip('\\n') }}
            {%- else %}{{- message.content.split('</think>')[-1] }}{%- endif %}
        {%- endfor %}""",
    "blocks on lines of their own": """
    {% for message in messages %}
      {% if message.role == 'user' %}
    tanya: {{ message.content }}
      {% else %}
    jawab: {{ message.content }}
      {% endif %}
    {% endfor %}
""",
    "JSON": "{{ messages | tojson }}{{ messages[0] | tojson(indent=2, ensure_ascii=true, sort_keys=true) }}",
    "loop controls": "{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}{{ m.content }}{% break %}"
    "{% endfor %}",
    "a marked answer": "{% for m in messages %}{% generation %}{{ m.content }}\n{% endgeneration %}!{% endfor %}",
    "the date": "{{ strftime_now('%Y-%m-%d') }}",
    "dictionaries": "{{ dict(a=1, b=2) }}{{ dict.fromkeys([1, 2], 3) }}{{ dict([(1, 2)]) }}",
    "special tokens": "{{ eos_token }}{{ pad_token }}{{ bos_token }}",
    "what is not there": "{{ tools }}{{ documents }}{{ add_generation_prompt }}{{ lain is defined }}",
    "a power": "{{ 2 ** 3 }} ** {{ '**' }}",
    "macros": "{% macro m(x) %}[{{ x | upper }}]{% endmacro %}{% for i in messages %}{{ m(i.role) }}{% endfor %}",
    "odd characters": "\ufeff{{ messages[0].content }}\r\n\x00\u2028{{ '\\u00e9' }}",
}


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerBase:
    return load_tokenizer(find_base(ModelConfig(name="mini")).location)


@pytest.mark.parametrize("template", [None, *TEMPLATES.values()], ids=["of mini", *TEMPLATES])
def test_a_template_is_rendered_as_apply_chat_template_renders_it(
    tokenizer: PreTrainedTokenizerBase, template: str | None
) -> None:
    tokenizer.chat_template = template or tokenizer.chat_template
    expected = [tokenizer.apply_chat_template(one, tokenize=False) for one in CONVERSATIONS]
    assert list(render(tokenizer, CONVERSATIONS)) == expected


def test_a_template_may_use_what_transformers_lets_it_use() -> None:
    theirs, ours = chat_template_utils._compile_jinja_template("").environment, rendering.environment()
    assert ours.globals.keys() == theirs.globals.keys()
    assert ours.filters.keys() == theirs.filters.keys()
    assert ours.tests.keys() == theirs.tests.keys()
    tags = [{tag for extension in made.extensions.values() for tag in extension.tags} for made in (theirs, ours)]
    assert tags[0] == tags[1]


@pytest.mark.parametrize(
    "template",
    [
        "{{ messages[0].__class__.__name__ }}",
        "{{ namespace(__class__=1) }}",
        "{% set n = namespace() %}{% set n._x = 1 %}",
        "{{ messages.append(1) }}",
        "{{ dict.update(messages[0], role='x') }}",
        "{{ ''.format.__globals__.keys() }}",
    ],
)
def test_a_template_reaches_nothing_but_its_messages(tokenizer: PreTrainedTokenizerBase, template: str) -> None:
    tokenizer.chat_template = template
    with pytest.raises(ModelError):
        render(tokenizer, CONVERSATIONS)


def test_chefs_in_several_threads_leave_the_process_as_it_was(tokenizer: PreTrainedTokenizerBase) -> None:
    resource = pytest.importorskip("resource", reason="Windows limits no process")
    tokenizer.chat_template = "{{ messages[0].content }}"
    before = resource.getrlimit(resource.RLIMIT_AS), sys.gettrace()
    with ThreadPoolExecutor(4) as threads:
        questions = [[{"role": "user", "content": f"Resep {number}?"}] for number in range(8)]
        rendered = list(threads.map(partial(render, tokenizer), [[one] for one in questions]))
    assert rendered == [(f"Resep {number}?",) for number in range(8)]
    assert (resource.getrlimit(resource.RLIMIT_AS), sys.gettrace()) == before


def test_a_program_around_python_that_has_no_executable_can_render_too(
    tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", None)
    tokenizer.chat_template = "tanpa nama: {{ messages[0].content }}"
    assert render(tokenizer, CONVERSATIONS)[0] == "tanpa nama: Kamu Koki."


def test_what_was_rendered_once_starts_no_second_process(tokenizer: PreTrainedTokenizerBase) -> None:
    tokenizer.chat_template = "sekali: {{ messages[0].content }}"
    first = render(tokenizer, CONVERSATIONS)
    started = time.process_time()
    assert render(tokenizer, CONVERSATIONS) == first
    assert time.process_time() - started < 0.05
