"""An answer while it is generated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from koki.config import ModelConfig
from koki.inference.growing_answer import GrowingAnswer
from koki.model.source import find_base
from koki.tokens.file_tokenizer import read_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return read_tokenizer(find_base(ModelConfig(name="mini")).folder).backend_tokenizer


def pieces_of(tokenizer: Tokenizer, ids: list[int]) -> list[str]:
    pieces: list[str] = []
    answer = GrowingAnswer(tokenizer, {}, max_new_tokens=len(ids), room=1_000, on_text=pieces.append, is_cancelled=None)
    for token in ids:
        answer.take(token)
    return pieces


@given(st.data())
def test_the_pieces_of_an_answer_joined_are_the_text_of_its_tokens(tokenizer: Tokenizer, data: st.DataObject) -> None:
    ids = data.draw(st.lists(st.integers(0, tokenizer.get_vocab_size() - 1), min_size=1))
    assert "".join(pieces_of(tokenizer, ids)) == tokenizer.decode(ids, skip_special_tokens=True)


def test_no_piece_has_a_part_of_a_character(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("Soto 🍲 pedas<|im_end|>").ids
    assert "\ufffd" not in "".join(pieces_of(tokenizer, ids))
    assert any("🍲" in piece for piece in pieces_of(tokenizer, ids))
