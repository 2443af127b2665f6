"""More numbers than memory holds, brought together on disk by what they have in common."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

# Bytes that are held until they are written, and of buckets that are given together.
_MOST_HELD: Final = 2**25


class Buckets:
    """Elements of arrays, in a file for each bucket; as long as they are few, they are in memory and in no file.

    Args:
        folder: of the files; is made when it is needed.
        dtype: of the elements.
        bucket_of: gives the bucket of each element of an array. A few hundred are enough: each has to fit in memory.

    Raises:
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: Path, dtype: DTypeLike, bucket_of: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
        self._folder, self._dtype, self._bucket_of = folder, dtype, bucket_of
        self._held: list[NDArray[Any]] = []
        self._held_bytes = 0
        self._files: dict[int, Path] = {}

    def add(self, elements: NDArray[Any]) -> None:
        """Add some elements."""
        self._hold(elements)
        if self._held_bytes > _MOST_HELD:
            self._write()

    def take(self) -> Iterator[NDArray[Any]]:
        """All elements, which are no longer here then: bucket after bucket, each as a whole and small ones together."""
        if self._files:
            self._write()
        for bucket in sorted(self._files):
            file = self._files.pop(bucket)
            self._hold(np.fromfile(file, self._dtype))
            file.unlink()
            if self._held_bytes > _MOST_HELD:
                yield self._release()
        yield self._release()

    def _hold(self, elements: NDArray[Any]) -> None:
        self._held.append(elements)
        self._held_bytes += elements.nbytes

    def _release(self) -> NDArray[Any]:
        elements = np.concatenate([np.empty(0, self._dtype), *self._held])
        self._held, self._held_bytes = [], 0
        return elements

    def _write(self) -> None:
        elements = self._release()
        buckets = self._bucket_of(elements)
        order = np.argsort(buckets, kind="stable")
        found, starts = np.unique(buckets[order], return_index=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        for bucket, some in zip(found.tolist(), np.split(elements[order], starts)[1:], strict=True):
            self._files[bucket] = self._folder / str(bucket)
            with self._files[bucket].open("ab") as file:
                some.tofile(file)
