"""Pieces of text as token ids: each tokenised once, all of them in one flat array."""

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]
Encode = Callable[[Sequence[str]], Sequence[Sequence[int]]]


class GrowingSequences:
    """Sequences of whole numbers, one after the other in one flat array, which is only appended to.

    Args:
        below: all numbers are smaller than this; up to 65,536 each takes two bytes, else four.
    """

    def __init__(self, below: int) -> None:
        self._flat = array(typecode(below))
        self._ends = array("q", [0])

    def append(self, numbers: Sequence[int]) -> int:
        """Store a sequence and return its number."""
        self._flat.extend(numbers)
        self._ends.append(len(self._flat))
        return len(self._ends) - 2

    def done(self) -> tuple[Numbers, Numbers]:
        """The numbers of all sequences, and where each ends, led by 0; nothing can be appended from here on."""
        return np.asarray(self._flat), np.asarray(self._ends)


class PieceStore:
    """Texts as numbers of pieces, in the order in which they come.

    Args:
        encode: gives the ids of texts.

    Attributes:
        lengths: tokens of each piece.
    """

    def __init__(self, encode: Encode, vocabulary_size: int) -> None:
        self._encode = encode
        self._tokens = GrowingSequences(vocabulary_size)
        self._numbers: dict[str, int] = {}
        self.lengths = array("i")

    def append(self, texts: Sequence[str]) -> range:
        """Store texts that hardly repeat, each as a new piece that `numbers` does not find; return their numbers."""
        first = len(self.lengths)
        for ids in self._encode(texts):
            self._tokens.append(ids)
            self.lengths.append(len(ids))
        return range(first, len(self.lengths))

    def numbers(self, texts: Iterable[str]) -> dict[str, int]:
        """Text -> number of its piece, the same whenever it is asked for; of these texts and of others."""
        unknown = [text for text in dict.fromkeys(texts) if text not in self._numbers]
        self._numbers.update(zip(unknown, self.append(unknown), strict=True))
        return self._numbers

    def done(self) -> tuple[Numbers, Numbers]:
        """The ids of all pieces, as `GrowingSequences.done` gives them."""
        return self._tokens.done()


def typecode(below: int) -> str:
    """The smallest type, as `array` names it, that holds whole numbers below this, from 0 on."""
    return "H" if below <= np.iinfo(np.uint16).max + 1 else "I"
