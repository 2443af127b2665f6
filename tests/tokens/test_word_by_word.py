"""Texts word by word: the ids are those of the whole."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from koki.config import ModelConfig
from koki.model.source import find_base, load_tokenizer
from koki.tokens.template import ChatTemplate
from koki.tokens.words import WordByWord

VOCABULARY = 151_936


@pytest.fixture(scope="module")
def template() -> ChatTemplate:
    return ChatTemplate(load_tokenizer(find_base(ModelConfig(name="mini")).location), "Kamu Koki.")


# Blanks of all kinds, and what a tokenizer may take together with one, beside any other text.
words = st.text(st.sampled_from([*"  \n\n\n\t\r\u3000\u00a0\u2028\x1cab1½.-'s\u017f\u0301é\u0323°中🙂"]), max_size=12)
texts = st.lists(words | st.text(st.characters(exclude_categories=["Cs"])), max_size=4).map(" ".join)


@pytest.mark.slow
@given(st.lists(texts))
@example(["user\nResep soto?", "- 1 sdt garam\n- air\n\n", "1. Rebus  ayam. \n 2.\tSajikan\n"])
def test_the_ids_are_those_of_the_whole(template: ChatTemplate, texts: list[str]) -> None:
    word_by_word = WordByWord(template.encode, VOCABULARY)
    assert [list(ids) for ids in word_by_word(texts)] == template.encode(texts)


def test_a_word_is_encoded_once() -> None:
    asked: list[str] = []

    def encode(texts: list[str]) -> list[list[int]]:
        asked.extend(texts)
        return [list(map(ord, text)) for text in texts]

    word_by_word = WordByWord(encode, 0x110000)  # type: ignore[arg-type]
    first, second = word_by_word(["- garam\n- air\n", "1 garam\n- air"])
    assert "".join(map(chr, [*first, *second])) == "- garam\n- air\n1 garam\n- air"
    assert asked == ["-", " garam\n", " air\n", "1", " air"]
