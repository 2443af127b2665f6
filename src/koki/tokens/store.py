"""Pieces of text as token ids: each tokenised once, all of them in one flat array."""

from array import array

import numpy as np
import numpy.typing as npt


class TokenStore:
    """An append-only list of id sequences, two bytes a token where the vocabulary allows it, else four."""

    def __init__(self, vocabulary_size: int) -> None:
        self._dtype: type[np.uint16 | np.int32] = (
            np.uint16 if vocabulary_size <= np.iinfo(np.uint16).max + 1 else np.int32
        )
        self._ids: npt.NDArray[np.uint16 | np.int32] = np.empty(1 << 16, dtype=self._dtype)
        self._ends = array("q", [0])

    def append(self, ids: list[int]) -> int:
        """Store a sequence; its number."""
        start = self._ends[-1]
        end = start + len(ids)
        while end > len(self._ids):
            # growing by half keeps appending linear without holding twice the memory
            self._ids.resize(len(self._ids) * 3 // 2, refcheck=False)
        self._ids[start:end] = ids
        self._ends.append(end)
        return len(self._ends) - 2

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> npt.NDArray[np.uint16 | np.int32]:
        return self._ids[self._ends[number] : self._ends[number + 1]]

    @property
    def ends(self) -> npt.NDArray[np.int64]:
        """Where each sequence ends, led by 0."""
        return np.asarray(self._ends, dtype=np.int64)

    @property
    def content(self) -> npt.NDArray[np.uint16 | np.int32]:
        """All sequences, one after the other."""
        return self._ids[: self.tokens]

    @property
    def tokens(self) -> int:
        """Tokens stored."""
        return self._ends[-1]
