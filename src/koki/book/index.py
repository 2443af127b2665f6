"""The ingredients of a book's recipes, as they are kept in its file: what a `Pantry` has in memory.

The needs that a thing can meet are postings. All recipes' ranks and the weights of what they need, which change with
each recipe that comes or goes, are two arrays, written anew each time.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, Self

import numpy as np

from koki.book.pantry import Dishes, Need, Places, Shares, Thing, Uses, distinct, heads_of, needs_of, weight_of
from koki.book.postings import MOST, Entries, PostingsWriter, numbers, read_entries, remarks
from koki.recipes.recipe import Recipe

SCHEMA: Final = (
    "CREATE TABLE thing (number INTEGER PRIMARY KEY, root TEXT NOT NULL, head TEXT NOT NULL, words TEXT NOT NULL, "
    "UNIQUE (root, head, words))",
    # How many recipes need something with this head.
    "CREATE TABLE head (name TEXT PRIMARY KEY, recipes INTEGER NOT NULL) WITHOUT ROWID",
    # The needs that a thing can meet, by the thing that they name first. The remark is the need's place in its recipe,
    # times two, and one more if it is required.
    "CREATE TABLE need (thing INTEGER NOT NULL, first INTEGER NOT NULL, chunk INTEGER NOT NULL, entries BLOB NOT NULL, "
    "PRIMARY KEY (thing, first, chunk)) WITHOUT ROWID",
    # The recipes' numbers by rank (uint32), the weights of all that each needs by number (float64), and how often the
    # book has changed.
    "CREATE TABLE standing (ranked BLOB NOT NULL, totals BLOB NOT NULL, changes INTEGER NOT NULL)",
    "INSERT INTO standing VALUES (x'', x'', 0)",
)
"""What makes the tables."""

_MOST_NEEDS: Final = (MOST + 1) // 2


class StoredDishes(Dishes):
    """Recipes, by their ingredients, in a book's file. Within a transaction the answers are of one state of it.

    Args:
        recipe_of: the recipe of a number.
    """

    def __init__(self, connection: sqlite3.Connection, recipe_of: Callable[[int], Recipe]) -> None:
        super().__init__()
        self._connection = connection
        self._recipe_of = recipe_of
        self._kinds_of = lru_cache(maxsize=4096)(self._find_kinds_of)
        self._head_of = lru_cache(maxsize=65536)(self._find_head_of)
        self._changes = -1
        self._ranked = np.empty(0, dtype=np.uint32)
        self._rank: Places = np.empty(0, dtype=np.int64)
        self._totals: Shares = np.empty(0)

    def __len__(self) -> int:
        return len(self._ranked)

    @property
    def changes(self) -> int:
        """How often the book had changed when it was looked at."""
        return self._changes

    def forget(self) -> None:
        super().forget()
        self._kinds_of.cache_clear()
        self._head_of.cache_clear()

    def look(self) -> Self:
        """The same, as this transaction sees the file."""
        (changes,) = self._connection.execute("SELECT changes FROM standing").fetchone()
        if changes != self._changes:
            self.forget()
            ranked, totals = self._connection.execute("SELECT ranked, totals FROM standing").fetchone()
            self._ranked, self._totals = np.frombuffer(ranked, np.uint32), np.frombuffer(totals)
            self._rank = np.zeros(len(self._totals), dtype=np.int64)
            self._rank[self._ranked] = np.arange(len(self._ranked))
            self._changes = changes
        return self

    def number_at(self, place: int) -> int:
        """The number of the recipe of this rank."""
        return int(self._ranked[place])

    def recipe_at(self, place: int) -> Recipe:
        return self._recipe_of(self.number_at(place))

    def _needs_at(self, place: int) -> Sequence[Need]:
        return needs_of(self.recipe_at(place))

    def places_with(self, wanted: Thing) -> Places:
        kinds = [number for number, kind in self._kinds_of(wanted.root) if kind.is_kind_of(wanted)]
        return distinct(self._owners(read_entries(blob for _, blob in self._needs_met_by(kinds))))

    def _find_uses_of(self, at_hand: Thing) -> Uses:
        kinds = [number for number, kind in self._kinds_of(at_hand.root) if kind.is_related_to(at_hand)]
        found = list(self._needs_met_by(kinds))
        entries = read_entries(blob for _, blob in found)
        weights = np.repeat(
            np.array([self._weigh(self._head_of(first)) for first, _ in found], dtype=np.float64),
            [len(blob) // entries.itemsize for _, blob in found],
        )
        entries, at = np.unique(entries, return_index=True)  # a need that two kinds can meet counts once
        shares = weights[at] * _is_required(entries) / self._totals[numbers(entries)]
        return Uses.of(self._owners(entries), shares, self._weigh(at_hand.head))

    def _find_weight(self, head: str) -> float:
        row = self._connection.execute("SELECT recipes FROM head WHERE name = ?", (head,)).fetchone()
        return weight_of(head, row[0] if row else 0, len(self))

    def _find_kinds_of(self, root: str) -> list[tuple[int, Thing]]:
        rows = self._connection.execute("SELECT number, head, words FROM thing WHERE root = ?", (root,))
        return [(number, Thing(root, head, frozenset(words.split()))) for number, head, words in rows]

    def _find_head_of(self, number: int) -> str:
        (head,) = self._connection.execute("SELECT head FROM thing WHERE number = ?", (number,)).fetchone()
        return str(head)

    def _needs_met_by(self, things: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """The needs, by the thing that they name first."""
        for it in things:
            yield from self._connection.execute("SELECT first, entries FROM need WHERE thing = ?", (it,))

    def _owners(self, entries: Entries) -> Places:
        return self._rank[numbers(entries)]


class IndexWriter:
    """Writes the ingredients of recipes into a book's file, within a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._number_of = lru_cache(maxsize=65536)(self._find_number_of)
        self._needs = PostingsWriter(connection, "need", "thing", "first")
        self._heads = Counter[str]()

    def add(self, number: int, recipe: Recipe) -> None:
        """Enter a recipe under a number that is larger than all before; `finish` writes what is left."""
        needs = needs_of(recipe)[:_MOST_NEEDS]
        self._heads.update(heads_of(needs))
        self._needs.append(
            number,
            (
                ((self._number_of(it), self._number_of(need.things[0])), place << 1 | need.required)
                for place, need in enumerate(needs)
                for it in dict.fromkeys(need.things)
            ),
        )

    def remove(self, number: int) -> None:
        """Take a recipe out; `finish` says so to the others."""
        heads = {self._find_head_of(it) for it, _ in self._needs.remove(number)}
        self._heads.subtract(heads)
        self._connection.execute(
            "DELETE FROM thing WHERE number NOT IN (SELECT thing FROM need UNION SELECT first FROM need)"
        )

    def finish(self) -> None:
        """Write what is left, and where each recipe stands now."""
        self._needs.flush()
        self._connection.executemany(
            "INSERT INTO head VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET recipes = recipes + excluded.recipes",
            self._heads.items(),
        )
        self._connection.execute("DELETE FROM head WHERE recipes < 1")
        # as a `Pantry` ranks them
        rows = self._connection.execute("SELECT number FROM recipe ORDER BY -ifnull(loves, 0), id")
        ranked = np.fromiter((number for (number,) in rows), np.uint32)
        self._connection.execute(
            "UPDATE standing SET ranked = ?, totals = ?, changes = changes + 1",
            (ranked.tobytes(), self._totals(ranked).tobytes()),
        )

    def _totals(self, ranked: np.typing.NDArray[np.uint32]) -> Shares:
        """The weights of all that each recipe needs, by its number; 1 where it needs nothing."""
        totals = np.zeros(int(ranked.max(initial=0)) + 1)
        heads = dict(self._connection.execute("SELECT name, recipes FROM head"))
        rows = self._connection.execute(
            "SELECT head, entries FROM need JOIN thing ON thing = number WHERE thing = first ORDER BY thing, chunk"
        )
        for head, blob in rows:
            entries = read_entries([blob])
            weights = weight_of(head, heads[head], len(ranked)) * _is_required(entries)
            totals[numbers(entries)] += weights  # a recipe needs a thing once
        totals[totals == 0] = 1.0
        return totals

    def _find_number_of(self, it: Thing) -> int:
        row = (it.root, it.head, " ".join(sorted(it.words)))
        self._connection.execute("INSERT OR IGNORE INTO thing (root, head, words) VALUES (?, ?, ?)", row)
        found = self._connection.execute("SELECT number FROM thing WHERE root = ? AND head = ? AND words = ?", row)
        return int(found.fetchone()[0])

    def _find_head_of(self, number: int | str) -> str:
        (head,) = self._connection.execute("SELECT head FROM thing WHERE number = ?", (number,)).fetchone()
        return str(head)


def _is_required(entries: Entries) -> Shares:
    return (remarks(entries) & 1).astype(np.float64)
