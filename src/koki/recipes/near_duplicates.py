"""Recipes that are the same dish in the same words, up to small edits: a post that was posted again.

Comparing each of ten thousand recipes with every other takes a quarter of an hour. So the comparison has two steps:

1. *Fingerprints* find the pairs worth comparing. A fingerprint is the hash of a passage of ``_PASSAGE`` characters; of
   every ``_WINDOW`` passages in a row the least hash is kept ("winnowing": Schleimer, Wilkerson and Aiken, 2003). So
   two recipes that share ``_PASSAGE + _WINDOW - 1`` characters in a row share a fingerprint, wherever these stand.
2. *rapidfuzz* measures how much of the text of such a pair is equal, and the titles say whether it is one dish:
   "Chicken Crispy Steak" with the word "beef" for "chicken" throughout is another one.

MinHash finds fewer or compares more. Of the 25 near-duplicates among 11,204 real recipes (words in threes, 37 bands of
3 rows) datasketch 2.0 finds 22 and rensa 0.5, with its own hashes, 19; 64 bands of 2 find all, but give 214,645 pairs
to compare, four times as many for twice the recipes, since set phrases count there without limit. Fingerprints give
6,164 pairs, twice as many for twice the recipes. To join them in SQLite takes twenty times as long as here.

The fingerprints of a million recipes, and the pairs that share one, are gigabytes. They go to disk in buckets, by the
fingerprint and by the recipe, so that all that belongs together is in memory at once and the rest is not.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from koki.ingredients.lexicon import fold
from koki.language import _
from koki.progress import stage
from koki.recipes.buckets import Buckets
from koki.recipes.recipe import Recipe
from koki.workers import Workers

MOST_SHARED: Final = 50
"""A passage that more recipes share than this is a set phrase ("secukupnya garam dan gula"), or a post that was posted
time and again. Of all recipes that share it each is compared with the next only, which is enough to connect the
posts."""

# Per cent of two texts that must be equal (2 x common characters / all characters, `rapidfuzz.fuzz.ratio`). All 92
# pairs of 11,205 real posts that are equal at 70 % or more were read: from 80 on, 24 of the 25 that pass for one dish
# are one text with other quantities, spellings or a remark more; below 75 most are two wordings, worth having both.
_LEAST_EQUAL: Final = 80.0
# Characters of a passage, and passages of a window: see above.
_PASSAGE: Final = 16
_WINDOW: Final = 16
# The share of its fingerprints that the text with fewer must have in common with another for the two to be compared. Of
# the same posts, all pairs that are equal at 80 % share 0.11 or more, and one pair in ten thousand is compared.
_LEAST_SHARED: Final = 0.07
# Recipes are numbered below 2**31, so that two numbers are one.
_NUMBER_BITS: Final = np.int64(32)
# Of a fingerprint, or of a recipe's number: those that tell its bucket.
_BUCKET_BITS: Final = 9
_PAIRS_AT_ONCE: Final = 2048  # that a worker process compares: a tenth of a second, and some thousand recipes
# Texts that numpy works on together: one by one, the calls would take as long as the work; all at once fill 100 MB.
_TEXTS_AT_ONCE: Final = 256

_NOT_A_WORD: Final = re.compile(r"[\W_]+")
_LOWER_WORDS: Final = bytes(ord(sign.lower() if sign.isalnum() else " ") for sign in map(chr, range(128))) * 2

Integers = NDArray[np.int64]
Hashes = NDArray[np.uint64]


_ENTRY: Final = np.dtype([("print", np.uint64), ("owner", np.uint32)])
_PRINT_SHIFT: Final = np.uint64(64 - _BUCKET_BITS)
_NUMBER: Final = (np.int64(1) << _NUMBER_BITS) - 1


class Fingerprints(NamedTuple):
    """What some recipes are recognised by, one recipe after the other.

    Attributes:
        prints: of all recipes, shape (fingerprints,).
        counts: how many are of each recipe, shape (recipes,). One of a single short text has none.
    """

    prints: Hashes
    counts: Integers

    @classmethod
    def of(cls, recipes: Iterable[Recipe]) -> Self:
        """The fingerprints of recipes; each depends on its recipe alone."""
        texts = [_Text.of(recipe).plain for recipe in recipes]
        prints, counts = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            some = texts[start : start + _TEXTS_AT_ONCE]
            some_prints, owners = _least_hashes(some)
            prints.append(some_prints)
            counts.append(np.bincount(owners, minlength=len(some)))
        return cls(np.concatenate(prints), np.concatenate(counts))

    def where(self, are_wanted: NDArray[np.bool_]) -> Self:
        """Those of the recipes that are wanted, of which the array has one for each recipe."""
        return type(self)(self.prints[np.repeat(are_wanted, self.counts)], self.counts[are_wanted])


class NearDuplicates:
    """Finds the near-duplicates among recipes that are not in memory.

    Args:
        folder: for what memory does not hold, 2 KB a recipe; it is empty, or not there yet.

    Raises:
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries = Buckets(folder / "prints", _ENTRY, lambda entries: entries["print"] >> _PRINT_SHIFT)
        self._recipes = 0

    def add(self, found: Fingerprints) -> None:
        """Add some recipes; they are numbered in the order in which they are added, from 0 on."""
        entries = np.empty(len(found.prints), _ENTRY)
        entries["print"] = found.prints
        entries["owner"] = np.repeat(self._recipes + np.arange(len(found.counts)), found.counts)
        self._entries.add(entries)
        self._recipes += len(found.counts)

    def groups(self, recipes: Sequence[Recipe], workers: Workers[Any]) -> list[list[int]]:
        """The groups of two or more recipes that are near-duplicates of each other, directly or through a third.

        It can be called once.

        Args:
            recipes: those that were added, in order; it is pickled for every batch of pairs that are compared.

        Returns:
            Numbers of recipes. The first of a group is the one to keep: the best-loved, of these the longest, of these
            the first; the others follow in order. Groups come in the order of their earliest recipe.
        """
        alike: list[tuple[int, int]] = []
        with stage(_("Comparing pairs of recipes")) as advance:
            batches = (_Batch(recipes, pairs) for pairs in self._worth_comparing())
            for batch in workers.map(_near_duplicates, batches, _Batch.label):
                alike += batch
                advance(_PAIRS_AT_ONCE)
        groups = _connected(alike)
        return [_best_first(group, recipes) for group in groups]

    def _worth_comparing(self) -> Iterator[Integers]:
        """The pairs of recipes that share enough fingerprints, in order, in arrays of shape (pairs, 2)."""
        pairs, counts = self._pairs()
        for some in pairs.take():
            some.sort()
            starts, shared = _runs(some)
            one, other = some[starts] >> _NUMBER_BITS, some[starts] & _NUMBER
            enough = shared >= _LEAST_SHARED * np.minimum(counts[one], counts[other])
            worth = np.stack([one[enough], other[enough]], axis=1)
            for start in range(0, len(worth), _PAIRS_AT_ONCE):
                yield worth[start : start + _PAIRS_AT_ONCE]

    def _pairs(self) -> tuple[Buckets, Integers]:
        """Each pair of recipes that share a fingerprint, for each that they share; the fingerprints of each recipe."""
        shift = _NUMBER_BITS + max(0, self._recipes.bit_length() - _BUCKET_BITS)
        pairs = Buckets(self._folder / "pairs", np.int64, lambda pairs: pairs >> shift)
        counts = np.zeros(self._recipes, np.int64)
        for entries in self._entries.take():
            prints, owners = _in_order(entries["print"], entries["owner"], self._recipes)
            counts += np.bincount(owners, minlength=self._recipes)
            for some in _sharing(prints, owners):
                pairs.add(some)
        return pairs, counts


# ------------------------------------------------------------------------------------------------- fingerprints


def _in_order(prints: Hashes, owners: Integers, recipes: int) -> tuple[Hashes, Integers]:
    """The fingerprints and their owners, sorted by fingerprint, then owner, each pair once.

    The last bits of a fingerprint give way to its owner: one number is sorted in a third of the time that two take.
    """
    ones = np.uint64(2 ** recipes.bit_length() - 1)
    pairs = np.sort((prints & ~ones) | owners.astype(np.uint64))
    pairs = pairs[_runs(pairs)[0]]
    return pairs & ~ones, (pairs & ones).astype(np.int64)


def _least_hashes(texts: Sequence[str]) -> tuple[Hashes, Integers]:
    """The least hash of every window of each text, but once where several windows in a row have the same."""
    owners = np.repeat(np.arange(len(texts)), list(map(len, texts)))
    hashes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    for size, factor in _DOUBLINGS:  # the hash of 2 characters, of 4, of 8 ...: a polynomial modulo 2**64
        hashes = hashes[:-size] * factor + hashes[size:]
    hashes = (hashes ^ (hashes >> _HALF)) * _ODD  # or the least ones would be those of passages that start with "a"
    for size in _WINDOW_DOUBLINGS:  # the least of 2 hashes, of 4, of 8 ...
        hashes = np.minimum(hashes[:-size], hashes[size:])
    further = _PASSAGE + _WINDOW - 2  # from the first character of a window to its last
    in_one_text = owners[:-further] == owners[further:]
    hashes, owners = hashes[in_one_text], owners[:-further][in_one_text]
    new = np.r_[True, (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])][: len(hashes)]
    return hashes[new], owners[new]


def _runs(values: Hashes | Integers) -> tuple[Integers, Integers]:
    """Where each run of equal values starts, and how long it is."""
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])[: len(values)]
    return starts, np.diff(np.r_[starts, len(values)])


def _sharing(prints: Hashes, owners: Integers) -> Iterator[Integers]:
    """The pairs of recipes that share a fingerprint, each pair as one number, the earlier recipe in its upper half.

    Each fingerprint gives all pairs of the recipes that have it, up to ``MOST_SHARED``; from there on neighbours.

    Args:
        prints, owners: as `_in_order` returns them.
    """
    _, sizes = _runs(prints)
    reach = np.repeat(np.cumsum(sizes), sizes) - np.arange(len(owners))  # owners of the same fingerprint from here on
    reach = np.where(np.repeat(sizes > MOST_SHARED, sizes), np.minimum(reach, 2), reach)
    here = np.arange(len(owners))
    for step in range(1, MOST_SHARED):
        here = here[reach[here] > step]
        yield owners[here] << _NUMBER_BITS | owners[here + step]


def _doublings(goal: int) -> list[int]:
    return [2**power for power in range(goal.bit_length() - 1)]


_ODD: Final = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: a multiplier that spreads well (Knuth)
_HALF: Final = np.uint64(32)
_DOUBLINGS: Final = [(size, np.uint64(pow(int(_ODD), size, 2**64))) for size in _doublings(_PASSAGE)]
_WINDOW_DOUBLINGS: Final = _doublings(_WINDOW)


# --------------------------------------------------------------------------------------------------- comparison


class _Batch(NamedTuple):
    """Pairs of recipes to be compared."""

    recipes: Sequence[Recipe]
    pairs: Integers

    def label(self) -> str:
        """Where the first of them stands."""
        return self.recipes[int(self.pairs[0, 0])].place


@dataclass(frozen=True)
class _Text:
    """A recipe as it is compared."""

    title: str
    plain: str

    @cached_property
    def words(self) -> frozenset[str]:
        """Those of the text, folded: few recipes are asked for them, which takes as long as ten comparisons."""
        return frozenset(map(fold, self.plain.split()))

    @classmethod
    def of(cls, recipe: Recipe) -> Self:
        body = " ".join((*(item.raw for item in recipe.ingredients), *recipe.steps))
        return cls(recipe.title, _plain(body))


def _plain(text: str) -> str:
    """Lower-case words and single spaces: what is left when layout, punctuation and capitals are edited."""
    if text.isascii():  # as nearly all are; takes a fifth of the time
        return b" ".join(text.encode().translate(_LOWER_WORDS).split()).decode()
    return _NOT_A_WORD.sub(" ", text.lower()).strip()


def _near_duplicates(_state: object, batch: _Batch) -> list[tuple[int, int]]:
    """The pairs of a batch that are near-duplicates, in order."""
    texts = {number: _Text.of(batch.recipes[number]) for number in np.unique(batch.pairs).tolist()}
    pairs = [(one, other) for one, other in batch.pairs.tolist()]
    return [(one, other) for one, other in pairs if _is_near_duplicate(texts[one], texts[other])]


def _is_near_duplicate(one: _Text, other: _Text) -> bool:
    if not fuzz.ratio(one.plain, other.plain, score_cutoff=_LEAST_EQUAL):
        return False
    return not (_says_more(one.title, other) and _says_more(other.title, one))


def _says_more(title: str, other: _Text) -> bool:
    """Whether the title has a word that the other recipe has nowhere. If both have one, they are two dishes."""
    words = {fold(word) for word in _plain(title).split()} - {fold(word) for word in _plain(other.title).split()}
    return bool(words) and not words <= other.words


# ------------------------------------------------------------------------------------------------------- groups


def _connected(pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The sets that the pairs tie together, each in order, in the order of their least members."""
    leaders: dict[int, int] = {}  # each member -> itself, if it is the least of its set, or one nearer to that
    for one, other in pairs:
        first, second = sorted((_leader(leaders, one), _leader(leaders, other)))
        leaders[second] = first
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for member in sorted(leaders):
        groups[_leader(leaders, member)].append(member)
    return list(groups.values())


def _leader(leaders: dict[int, int], member: int) -> int:
    """The least of a member's set; the way to it is shorter from then on."""
    leaders.setdefault(member, member)
    while (nearer := leaders[member]) != member:
        leaders[member] = member = leaders[nearer]
    return member


def _best_first(group: Sequence[int], recipes: Sequence[Recipe]) -> list[int]:
    def worst(number: int) -> tuple[int, int, int]:
        recipe = recipes[number]
        return -(recipe.loves or 0), -len(_Text.of(recipe).plain), number

    best = min(group, key=worst)
    return [best, *(number for number in group if number != best)]
