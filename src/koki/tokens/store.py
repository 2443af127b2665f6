"""Pieces of text as token ids: each tokenised once, all of them in one flat array."""

import hashlib
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

# Texts whose numbers are at hand without a digest: those of some hundred recipes.
_MOST_RECENT: Final = 10_000
_DIGEST_BYTES: Final = 16

Numbers = npt.NDArray[Any]
Encode = Callable[[Sequence[str]], Sequence[Sequence[int]]]


class Sequences:
    """Sequences of whole numbers, one after the other in one flat array.

    Attributes:
        flat: the numbers of all sequences.
        ends: where each sequence ends, led by 0.
    """

    def __init__(self, flat: Numbers, ends: Numbers) -> None:
        self.flat, self.ends = flat, ends

    def __len__(self) -> int:
        return len(self.ends) - 1

    def __getitem__(self, number: int) -> Numbers:
        return self.flat[self.ends[number] : self.ends[number + 1]]


class GrowingSequences:
    """`Sequences` while they are filled: a list that is only appended to.

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

    def done(self) -> Sequences:
        """All that was stored; nothing can be appended from here on."""
        return Sequences(np.asarray(self._flat), np.asarray(self._ends))


class KnownPieces:
    """Pieces that were tokenised before, by the same tokenizer: those of an earlier version of the recipes.

    Args:
        tokens: the ids of each piece.
        digests: what `digest` gives of each piece's text, shape (pieces, 16), uint8.
    """

    def __init__(self, tokens: Sequences, digests: npt.NDArray[np.uint8]) -> None:
        self._tokens = tokens
        self._digests = digests
        keys = _keys(digests)
        self._order = np.argsort(keys)
        self._keys = keys[self._order]

    def find(self, digests: Sequence[bytes]) -> list[list[int] | None]:
        """The ids of each piece; None where it is not known."""
        wanted = _digests(b"".join(digests))
        places = np.searchsorted(self._keys, _keys(wanted)).clip(max=len(self._keys) - 1)
        numbers = self._order[places]
        is_known = (self._digests[numbers] == wanted).all(axis=1)
        return [
            self._tokens[number].tolist() if known else None
            for number, known in zip(numbers.tolist(), is_known.tolist(), strict=True)
        ]


class PieceStore:
    """Texts as numbers of pieces, in the order in which they come.

    A piece is recognised by the digest of its text, so that the texts need not be kept.

    Args:
        encode: gives the ids of texts.
        known: pieces that are looked up before anything is encoded.

    Attributes:
        lengths: tokens of each piece.
    """

    def __init__(self, encode: Encode, vocabulary_size: int, known: KnownPieces | None = None) -> None:
        self._encode = encode
        self._known = known
        self._tokens = GrowingSequences(vocabulary_size)
        self._digests = bytearray()
        self._numbers: dict[bytes, int] = {}
        self._recent: dict[str, int] = {}
        self.lengths = array("i")

    def append(self, texts: Sequence[str]) -> range:
        """Store texts that hardly repeat, each as a new piece that `numbers` does not find; return their numbers."""
        return self._store([digest(text) for text in texts], texts)

    def numbers(self, texts: Iterable[str]) -> dict[str, int]:
        """Text -> number of its piece, the same whenever it is asked for.

        The dictionary has these texts and others, and is to be read before the next call.
        """
        if len(self._recent) > _MOST_RECENT:
            self._recent = {}
        recent = self._recent
        fresh = {digest(text): text for text in texts if text not in recent}
        unknown = {key: text for key, text in fresh.items() if key not in self._numbers}
        self._numbers.update(zip(unknown, self._store(list(unknown), list(unknown.values())), strict=True))
        recent.update((text, self._numbers[key]) for key, text in fresh.items())
        return recent

    def done(self) -> tuple[Sequences, npt.NDArray[np.uint8]]:
        """The ids of all pieces, and the digests of their texts as `KnownPieces` takes them."""
        return self._tokens.done(), _digests(self._digests)

    def _store(self, digests: Sequence[bytes], texts: Sequence[str]) -> range:
        first = len(self.lengths)
        for ids in self._ids(digests, texts):
            self._tokens.append(ids)
            self.lengths.append(len(ids))
        self._digests += b"".join(digests)
        return range(first, len(self.lengths))

    def _ids(self, digests: Sequence[bytes], texts: Sequence[str]) -> Sequence[Sequence[int]]:
        if self._known is None or not texts:
            return self._encode(texts)
        found = self._known.find(digests)
        encoded = iter(self._encode([text for text, ids in zip(texts, found, strict=True) if ids is None]))
        return [next(encoded) if ids is None else ids for ids in found]


def typecode(below: int) -> str:
    """The smallest type, as `array` names it, that holds whole numbers below this, from 0 on."""
    return "H" if below <= np.iinfo(np.uint16).max + 1 else "I"


def digest(text: str) -> bytes:
    """The 16 bytes by which a piece's text is recognised; that two texts share them is out of the question."""
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()


def _digests(content: bytes | bytearray) -> npt.NDArray[np.uint8]:
    return np.frombuffer(content, dtype=np.uint8).reshape(-1, _DIGEST_BYTES)


def _keys(digests: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """The first half of each digest as a number, to sort by."""
    return np.ascontiguousarray(digests[:, : _DIGEST_BYTES // 2]).view(np.uint64)[:, 0]
