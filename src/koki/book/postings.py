"""Inverted indexes in a book's file: which recipes have a thing or a few letters, as arrays that NumPy reads at once.

SQLite's own tables and FTS5 find as much, but rank and hand it over row by row: the 50 names most like a question, of
11,180, take FTS5's trigrams and bm25 30 ms of processor time (median of 100; the slowest 68), arrays 2 (the slowest 3).
"""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

Entries = NDArray[np.uint64]
"""An entry has the number of a recipe in its upper 48 bits and a remark, of up to `MOST`, in the lower ones."""

_REMARK: Final = 16
MOST: Final = (1 << _REMARK) - 1
# Bits of a recipe's number that are one chunk: 16,384 recipes. One that is added costs no more than its chunks.
_CHUNK: Final = 14


def numbers(entries: Entries) -> NDArray[np.int64]:
    """The recipes' numbers."""
    return (entries >> np.uint64(_REMARK)).astype(np.int64)


def remarks(entries: Entries) -> NDArray[np.int64]:
    """What is remarked."""
    return (entries & np.uint64(MOST)).astype(np.int64)


def read_entries(blobs: Iterable[bytes]) -> Entries:
    """The entries of some blobs, one after the other."""
    return np.frombuffer(b"".join(blobs), np.uint64)


class PostingsWriter:
    """Appends entries to a table that has some key columns, ``chunk`` and ``entries``, and takes them out of it."""

    def __init__(self, connection: sqlite3.Connection, table: str, *keys: str) -> None:
        self._connection = connection
        where = " AND ".join(f"{key} = ?" for key in (*keys, "chunk"))
        self._select = f"SELECT entries FROM {table} WHERE {where}"
        self._replace = f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * (len(keys) + 2))})"
        self._update = f"UPDATE {table} SET entries = ? WHERE {where}"
        self._select_chunk = f"SELECT {', '.join(keys)}, entries FROM {table} WHERE chunk = ?"
        self._delete_empty = f"DELETE FROM {table} WHERE entries = x''"
        self._chunk = 0
        self._entries: dict[tuple[int | str, ...], list[int]] = {}

    def append(self, number: int, keys: Iterable[tuple[tuple[int | str, ...], int]]) -> None:
        """Enter a recipe, with its keys and a remark for each; its number is larger than all before."""
        if (chunk := number >> _CHUNK) != self._chunk:
            self.flush()
            self._chunk = chunk
        for key, remark in keys:
            self._entries.setdefault(key, []).append(number << _REMARK | remark)

    def flush(self) -> None:
        """Write what was appended."""
        self._connection.executemany(self._replace, self._rows())
        self._entries.clear()

    def _rows(self) -> Iterator[tuple[int | str | bytes, ...]]:
        for key, entries in self._entries.items():
            known = self._connection.execute(self._select, (*key, self._chunk)).fetchone()
            yield (*key, self._chunk, (known[0] if known else b"") + np.array(entries, np.uint64).tobytes())

    def remove(self, number: int) -> list[tuple[int | str, ...]]:
        """Take a recipe out; returns the keys that it had."""
        had = []
        for *key, blob in self._connection.execute(self._select_chunk, (number >> _CHUNK,)).fetchall():
            entries = np.frombuffer(blob, np.uint64)
            left = entries[numbers(entries) != number]
            if len(left) < len(entries):
                had.append(tuple(key))
                self._connection.execute(self._update, (left.tobytes(), *key, number >> _CHUNK))
        self._connection.execute(self._delete_empty)
        return had
