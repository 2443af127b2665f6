"""Names that are alike: those that share the most three letters in a row with a text, the rarest counting most."""

import math
import sqlite3
from typing import Final

import numpy as np

from koki.book.postings import MOST, PostingsWriter, numbers, read_entries, remarks
from koki.ingredients.lexicon import fold

SCHEMA: Final = (
    # The remark is how many the name has.
    "CREATE TABLE gram (gram TEXT NOT NULL, chunk INTEGER NOT NULL, entries BLOB NOT NULL, "
    "PRIMARY KEY (gram, chunk)) WITHOUT ROWID",
)
"""What makes the table."""

_MOST_ASKED: Final = 200  # of a text; a question has fewer than 100


def grams(text: str) -> list[str]:
    """Each three letters in a row once, spelling folded; a word's first and last two letters, with a space, too."""
    folded = f" {fold(text)} "
    return list(dict.fromkeys(folded[at : at + 3] for at in range(len(folded) - 2)))


class GramWriter:
    """Writes names into a book's file, within a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._postings = PostingsWriter(connection, "gram", "gram")

    def add(self, number: int, name: str) -> None:
        """Enter the name of a recipe, whose number is larger than all before; `finish` writes what is left."""
        found = grams(name)[:MOST]
        self._postings.append(number, (((gram,), len(found)) for gram in found))

    def remove(self, number: int) -> None:
        """Take the name of a recipe out."""
        self._postings.remove(number)

    def finish(self) -> None:
        """Write what is left."""
        self._postings.flush()


def numbers_like(connection: sqlite3.Connection, text: str, limit: int, names: int) -> list[int]:
    """The numbers of the recipes whose names are most like a text, the likest first, then the lowest.

    Args:
        names: how many there are.
    """
    found = []
    for gram in grams(text)[:_MOST_ASKED]:
        rows = connection.execute("SELECT entries FROM gram WHERE gram = ?", (gram,))
        if len(entries := read_entries(blob for (blob,) in rows)):
            found.append((entries, math.log(1 + names / len(entries))))
    if not found:
        return []
    entries = np.concatenate([entries for entries, _ in found])
    weights = np.repeat([weight for _, weight in found], [len(entries) for entries, _ in found])
    of = numbers(entries)
    likeness = np.bincount(of, weights / np.sqrt(remarks(entries)))
    candidates = np.flatnonzero(likeness)
    if len(candidates) > limit:
        least = np.partition(likeness[candidates], -limit)[-limit]
        candidates = candidates[likeness[candidates] >= least]
    return [int(number) for number in sorted(candidates, key=lambda it: (-likeness[it], it))[:limit]]
