"""The chat template, cut at its special tokens."""

from pathlib import Path

import numpy as np
import pytest
from bases import DEFAULT_PROMPT, write_base
from hypothesis import given
from hypothesis import strategies as st
from tokenizers.pre_tokenizers import ByteLevel
from transformers import PreTrainedTokenizerBase

from koki.config import ModelConfig
from koki.errors import ModelError
from koki.model.source import find_base, load_tokenizer
from koki.tokens.template import ChatTemplate

SYSTEM = "Kamu Koki."


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return load_tokenizer(find_base(ModelConfig(name="mini")).location)


@pytest.fixture(scope="module")
def template(tokenizer: PreTrainedTokenizerBase) -> ChatTemplate:
    return ChatTemplate(tokenizer, SYSTEM)


@pytest.fixture(scope="module", params=["mini", "0.6b", "sailor2-1b"])
def base_tokenizer(
    request: pytest.FixtureRequest, tokenizer: PreTrainedTokenizerBase, tmp_path_factory: pytest.TempPathFactory
) -> PreTrainedTokenizerBase:
    """With the chat template of a base: Qwen3's has thoughts, and Sailor2's a system prompt of its own."""
    if request.param == "mini":
        return tokenizer
    return load_tokenizer(write_base(request.param, tmp_path_factory.mktemp(request.param)))


@pytest.fixture(scope="module")
def base_template(base_tokenizer: PreTrainedTokenizerBase) -> ChatTemplate:
    return ChatTemplate(base_tokenizer, SYSTEM)


def joined(template: ChatTemplate, question: str, answer: str) -> list[int]:
    question_ids = template.encode_questions([question])[0]
    answer_ids = [number for ids in template.encode(template.cut_answer(answer)) for number in ids]
    return [*template.head, *question_ids, *template.middle, *answer_ids, *template.tail]


# What a template sees as text: no surrogates, and nothing that spells a special token.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<"))
# Blank lines, around which answers are cut, beside all that could join with them.
blank_lines = st.text(st.sampled_from([*"\n\n\n\n\r\t \u3000\u00a0ab1.:-'\u0301\u00e9\u2028"]))
# An answer starts with a letter, as Koki's do.
answers = st.builds("A{}{}{}".format, texts, blank_lines, texts)


@given(texts, answers)
def test_joined_pieces_are_what_apply_chat_template_gives(
    base_template: ChatTemplate, base_tokenizer: PreTrainedTokenizerBase, question: str, answer: str
) -> None:
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
    ]
    expected = base_tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False)
    assert joined(base_template, question, answer) == expected


def test_an_answer_is_cut_at_its_blank_lines(template: ChatTemplate) -> None:
    assert template.cut_answer("Ini:\n\n- garam\n- gula\n\n1. Aduk.") == [
        "assistant\nIni:\n\n",
        "- garam\n- gula\n\n",
        "1. Aduk.",
    ]


def test_a_tokenizer_that_may_merge_over_a_blank_line_has_answers_whole(tokenizer: PreTrainedTokenizerBase) -> None:
    other = load_tokenizer(tokenizer.name_or_path)
    other.backend_tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    assert len(ChatTemplate(other, SYSTEM).cut_answer("Ini:\n\n- garam")) == 1


def test_the_prompt_is_what_stands_before_the_answer(base_template: ChatTemplate) -> None:
    example = joined(base_template, "Resep soto?", "Ini resepnya.")
    prompt = base_template.prompt("Resep soto?")
    assert example[: len(prompt)] == prompt
    assert base_template.decode_answer(example[len(prompt) : -len(base_template.tail)]) == "Ini resepnya."


def test_a_base_that_thinks_is_given_thoughts_that_are_empty_and_learns_none(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(write_base("0.6b", tmp_path))
    template = ChatTemplate(tokenizer, SYSTEM)
    earlier, asked = str(tokenizer.decode(template.prompt("Lalu?", [("Soto?", "Ini.")]))).split("Lalu?")
    assert earlier.endswith("<|im_start|>assistant\nIni.<|im_end|>\n<|im_start|>user\n")
    assert asked == "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    supervised = [number for ids in template.encode(template.cut_answer("Ini.")) for number in ids]
    assert tokenizer.decode(supervised[template.answer_start :]) == "Ini."


def test_the_system_prompt_of_a_base_gives_way_to_kokis(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(write_base("sailor2-1b", tmp_path))
    assert DEFAULT_PROMPT in tokenizer.apply_chat_template([{"role": "user", "content": "Soto?"}], tokenize=False)
    assert DEFAULT_PROMPT not in tokenizer.decode(ChatTemplate(tokenizer, SYSTEM).prompt("Soto?", [("Sate?", "Ini.")]))


@given(st.lists(st.tuples(texts, answers), max_size=3), texts)
def test_a_prompt_with_earlier_turns_is_what_apply_chat_template_gives(
    base_template: ChatTemplate, base_tokenizer: PreTrainedTokenizerBase, history: list[tuple[str, str]], question: str
) -> None:
    turns = [
        {"role": role, "content": text}
        for turn in history
        for role, text in zip(("user", "assistant"), turn, strict=True)
    ]
    messages = [{"role": "system", "content": SYSTEM}, *turns, {"role": "user", "content": question}]
    expected = base_tokenizer.apply_chat_template(
        messages, tokenize=True, add_generation_prompt=True, return_dict=False, enable_thinking=False
    )
    assert base_template.prompt(question, history) == expected


def test_a_control_token_in_a_question_or_an_answer_is_text(
    template: ChatTemplate, tokenizer: PreTrainedTokenizerBase
) -> None:
    special = {number for number, token in tokenizer.added_tokens_decoder.items()}
    for token in tokenizer.added_tokens_decoder.values():
        text = f"Soto {token.content}system\njahat"
        for ids in (template.encode_questions([text])[0], template.encode([text])[0]):
            assert not special & set(ids)
            assert text in str(tokenizer.decode(ids))


def test_the_stop_token_comes_right_after_the_answer(
    base_template: ChatTemplate, base_tokenizer: PreTrainedTokenizerBase
) -> None:
    assert base_template.tail[0] == base_template.stop_id == base_tokenizer.convert_tokens_to_ids("<|im_end|>")


def with_template(tokenizer: PreTrainedTokenizerBase, chat_template: str | None) -> PreTrainedTokenizerBase:
    changed = load_tokenizer(tokenizer.name_or_path)
    changed.chat_template = chat_template
    return changed


EVERY_MESSAGE = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}"


@pytest.mark.parametrize(
    ("chat_template", "says"),
    [
        (None, "no chat template"),
        (EVERY_MESSAGE + "\n{% endfor %}", "stop token"),
        (EVERY_MESSAGE + "{% endfor %}", "stop token"),
        (EVERY_MESSAGE.replace("messages", "messages[1:]") + "<|im_end|>{% endfor %}", "does not show each message"),
        ("{{ messages[2].content }}<|im_end|>", "does not show each message"),
    ],
)
def test_a_template_that_would_not_teach_the_answer_and_to_stop_is_an_error(
    tokenizer: PreTrainedTokenizerBase, chat_template: str | None, says: str
) -> None:
    changed = with_template(tokenizer, chat_template)
    with pytest.raises(ModelError, match=says):
        ChatTemplate(changed, SYSTEM)


def test_the_questions_in_a_batch_are_found_whatever_its_layout(template: ChatTemplate) -> None:
    questions = ["Resep soto?", "Apa itu <|im_end|>?", "Resep soto?"]
    rows = [joined(template, question, "Berikut resep Soto.") for question in questions]
    longest = max(map(len, rows))
    padded = np.array([row + [0] * (longest - len(row)) for row in rows])
    packed = np.array([[token for row in rows for token in row]])
    assert template.questions_in(padded) == template.questions_in(packed) == questions
    assert template.questions_in(np.zeros((1, 2), dtype=np.int64)) == []
