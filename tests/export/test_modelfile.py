"""How Ollama runs a GGUF file: what its Modelfile says, read by the rules of its grammar and rendered by Go."""

from pathlib import Path
from typing import Any

import pytest
from go_templates import go_renderer, rendered_by_go
from hypothesis import given
from hypothesis import strategies as st
from modelfile_grammar import parse_modelfile

from koki.errors import ModelError
from koki.export.modelfile import modelfile, ollama_name, survives, template_of
from koki.gguf.chat_template import with_system_prompt
from koki.model.source import load_tokenizer

SYSTEM = 'Kamu "Koki" {{ .System }} {% kode %} {\\n}\n"""tiga"""\n\n 🍲 {'
# Qwen3's: only the answer that is asked for starts with thoughts, which are empty.
THINKING = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}"
    "{% if m.role == 'assistant' and loop.last %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
    "{{ m.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n<think>\n\n</think>\n\n' }}{% endif %}"
)
# Llama 2's kind: braces, quotes and a system prompt within what is asked.
BRACES = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ '{{' }}{{ m.content }}{{ '}}' }}"
    '{% else %}<|im_start|>"""{{ \'{\' }}{{ m.content }}<|im_end|>{% endif %}{% endfor %}'
    '{% if add_generation_prompt %}<|im_start|>"""{{ \'{\' }}{% endif %}'
)
TALK = [
    {"role": "user", "content": 'Resep "soto" {{ .Content }}?'},
    {"role": "assistant", "content": "Rebus ayam.\n\nSajikan."},
    {"role": "user", "content": "Kalau rawon?"},
    {"role": "assistant", "content": "Rebus daging."},
    {"role": "user", "content": "Lalu?"},
]
CONVERSATIONS = [
    [*system, *TALK[:messages]]
    for system in ([], [{"role": "system", "content": 'Kamu """lain""". {{'}])
    for messages in (1, 3, 5)
]


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return go_renderer(tmp_path_factory.mktemp("go"))


@pytest.fixture
def tokenizer(small_base: Path) -> Any:
    return load_tokenizer(small_base)


@pytest.mark.slow  # Go compiles for seconds
@pytest.mark.parametrize("chat_template", [None, THINKING, BRACES], ids=["its own", "thoughts", "braces and quotes"])
@pytest.mark.parametrize("system", [SYSTEM, "Kamu Koki."])
def test_go_makes_the_prompts_that_the_tokenizer_makes(
    go: Path, tokenizer: Any, chat_template: str | None, system: str
) -> None:
    tokenizer.chat_template = chat_template or tokenizer.chat_template
    written = dict(parse_modelfile(modelfile("a.gguf", tokenizer, system, stop="<|im_end|>", context=1024)))
    tokenizer.chat_template = with_system_prompt(tokenizer.chat_template, system)
    expected = [
        tokenizer.apply_chat_template(talk, tokenize=False, add_generation_prompt=True) for talk in CONVERSATIONS
    ]
    assert rendered_by_go(go, written["TEMPLATE"], CONVERSATIONS) == expected


@given(system=st.text() | st.text('"\n {}a\u200d', max_size=12))
def test_any_system_prompt_that_survives_comes_back_from_the_parsed_file(system: str) -> None:
    text = f'FROM ./a.gguf\nSYSTEM """{system}"""\nPARAMETER temperature 0\n'
    if survives(system):
        assert parse_modelfile(text) == [("FROM", "./a.gguf"), ("SYSTEM", system), ("temperature", "0")]


@pytest.mark.parametrize("system", ["Koki.", '"Koki"', '"""Koki""" masak', 'Satu\n"dua"\n\n tiga """', "🍲 ", ""])
def test_a_usual_system_prompt_survives(system: str) -> None:
    assert survives(system)


def test_what_a_modelfile_cannot_hold_stands_in_the_template_alone(tokenizer: Any) -> None:
    system = 'Kata """dia"""\nmasak 👩‍🍳'
    written = parse_modelfile(modelfile("a.gguf", tokenizer, system, stop="<|im_end|>", context=1024))
    assert [name for name, _ in written] == ["FROM", "TEMPLATE", "stop", "temperature", "num_ctx"]
    assert r"\U0000200d" in dict(written)["TEMPLATE"]


def test_a_modelfile_says_all_that_ollama_needs(tokenizer: Any) -> None:
    written = parse_modelfile(modelfile("warung makan-q8_0.gguf", tokenizer, SYSTEM, stop="<|im_end|>", context=1024))
    template = template_of(tokenizer, SYSTEM)
    assert dict(written)["TEMPLATE"] == template
    assert [entry for entry in written if entry[0] not in ("TEMPLATE", "SYSTEM")] == [
        ("FROM", "./warung makan-q8_0.gguf"),
        ("stop", "<|im_end|>"),
        ("temperature", "0"),
        ("num_ctx", "1024"),
    ]


def test_a_chat_template_that_writes_turns_in_different_ways_is_an_error(tokenizer: Any) -> None:
    tokenizer.chat_template = "{% for m in messages %}{{ loop.index }}{{ m.content }}<|im_end|>{% endfor %}"
    with pytest.raises(ModelError, match="does not write every turn alike"):
        template_of(tokenizer, SYSTEM)


@pytest.mark.parametrize(
    ("folder", "name"),
    [("warung", "warung"), ("Warung Bu Sri's", "warung-bu-sri-s"), ("_½-.", "koki"), ("soto.v2", "soto.v2")],
)
def test_a_folder_gives_a_name_that_ollama_takes(folder: str, name: str) -> None:
    assert ollama_name(folder) == name
