"""Pieces: each text tokenised once, its ids given back."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.tokens.store import GrowingSequences, PieceStore

texts = st.lists(st.text(st.characters(exclude_categories=["Cs"])))


class Characters:
    """Encodes a text as its characters, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        self.asked += texts
        return [list(map(ord, text)) for text in texts]


def store_of(encode: Characters) -> PieceStore:
    return PieceStore(encode, 0x110000)


def sequences_of(store: GrowingSequences | PieceStore) -> list[npt.NDArray[Any]]:
    flat, ends = store.done()
    return [flat[start:end] for start, end in pairwise(ends.tolist())]


@pytest.mark.parametrize(("vocabulary_size", "bytes_each"), [(8192, 2), (65_536, 2), (65_537, 4), (151_936, 4)])
def test_sequences_are_given_back_and_take_two_bytes_a_number_or_four(vocabulary_size: int, bytes_each: int) -> None:
    growing = GrowingSequences(vocabulary_size)
    stored = [[number % vocabulary_size] * (number % 700) for number in range(0, 200_000, 997)]
    numbers = [growing.append(sequence) for sequence in stored]
    sequences = sequences_of(growing)
    assert [sequences[number].tolist() for number in numbers] == stored
    assert sequences[0].itemsize == bytes_each
    assert len(sequences) == len(stored)


@pytest.mark.slow
@given(st.lists(texts))
def test_every_text_is_encoded_once_and_has_its_own_ids(calls: list[list[str]]) -> None:
    encode = Characters()
    pieces = store_of(encode)
    numbers = [[pieces.numbers(call)[text] for text in call] for call in calls]
    distinct = list(dict.fromkeys(text for call in calls for text in call))
    assert encode.asked == distinct
    sequences = sequences_of(pieces)
    for call, given_numbers in zip(calls, numbers, strict=True):
        assert ["".join(map(chr, sequences[number])) for number in given_numbers] == call
        assert [pieces.lengths[number] for number in given_numbers] == list(map(len, call))


@given(texts)
def test_what_is_appended_is_a_piece_of_its_own_each_time(some: list[str]) -> None:
    pieces = store_of(Characters())
    numbers = [*pieces.append(some), *pieces.append(some)]
    sequences = sequences_of(pieces)
    assert numbers == list(range(2 * len(some)))
    assert ["".join(map(chr, sequences[number])) for number in numbers] == some * 2
