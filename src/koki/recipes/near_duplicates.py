"""Recipes that are the same dish in the same words, up to small edits: a post that was posted again.

Comparing each of ten thousand recipes with every other takes a quarter of an hour. So the comparison has two steps:

1. *Fingerprints* find the pairs worth comparing. A fingerprint is the hash of a passage of ``_PASSAGE`` characters; of
   every ``_WINDOW`` passages in a row the least hash is kept ("winnowing": Schleimer, Wilkerson and Aiken, 2003). So
   two recipes that share ``_PASSAGE + _WINDOW - 1`` characters in a row share a fingerprint, wherever these stand.
2. *rapidfuzz* measures how much of the text of such a pair is equal, and the titles say whether it is one dish:
   "Chicken Crispy Steak" with the word "beef" for "chicken" throughout is another one.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from koki.ingredients.lexicon import fold
from koki.recipes.recipe import Recipe

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
# Texts that numpy works on together: one by one, the calls would take as long as the work; all at once fill 100 MB.
_TEXTS_AT_ONCE: Final = 256

_NOT_A_WORD: Final = re.compile(r"[\W_]+")
_LOWER_WORDS: Final = bytes(ord(sign.lower() if sign.isalnum() else " ") for sign in map(chr, range(128))) * 2

Integers = NDArray[np.int64]
Hashes = NDArray[np.uint64]


def near_duplicate_groups(recipes: Sequence[Recipe]) -> list[list[int]]:
    """The groups of two or more recipes that are near-duplicates of each other, directly or through a third.

    Returns:
        Places in ``recipes``. The first of a group is the one to keep: the best-loved, of these the longest, of these
        the first; the others follow in order. Groups come in the order of their earliest recipe.
    """
    texts = [_plain(_body(recipe)) for recipe in recipes]
    alike = [pair for pair in _worth_comparing(texts) if _is_near_duplicate(recipes, texts, *pair)]
    groups = _connected(alike)
    for group in groups:
        best = min(group, key=lambda place: (-(recipes[place].loves or 0), -len(texts[place]), place))
        group.remove(best)
        group.insert(0, best)
    return groups


def _body(recipe: Recipe) -> str:
    return " ".join((*(item.raw for item in recipe.ingredients), *recipe.steps))


def _plain(text: str) -> str:
    """Lower-case words and single spaces: what is left when layout, punctuation and capitals are edited."""
    if text.isascii():  # as nearly all are; takes a fifth of the time
        return b" ".join(text.encode().translate(_LOWER_WORDS).split()).decode()
    return _NOT_A_WORD.sub(" ", text.lower()).strip()


def _is_near_duplicate(recipes: Sequence[Recipe], texts: Sequence[str], one: int, other: int) -> bool:
    if not fuzz.ratio(texts[one], texts[other], score_cutoff=_LEAST_EQUAL):
        return False
    return not (
        _says_more(recipes[one].title, recipes[other].title, texts[other])
        and _says_more(recipes[other].title, recipes[one].title, texts[one])
    )


def _says_more(title: str, other_title: str, other_text: str) -> bool:
    """Whether the title has a word that the other recipe has nowhere. If both have one, they are two dishes."""
    others = {fold(word) for word in (*_plain(other_title).split(), *other_text.split())}
    return not {fold(word) for word in _plain(title).split()} <= others


# ------------------------------------------------------------------------------------------------- fingerprints


def _worth_comparing(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The pairs of texts that share enough fingerprints, in order."""
    prints, owners = _fingerprints(texts)
    counts = np.bincount(owners, minlength=len(texts))
    for one, other, shared in _sharing(prints, owners, len(texts)):
        enough = shared >= _LEAST_SHARED * np.minimum(counts[one], counts[other])
        yield from zip(one[enough].tolist(), other[enough].tolist(), strict=True)


def _fingerprints(texts: Sequence[str]) -> tuple[Hashes, Integers]:
    """The distinct fingerprints of each text, sorted, and the places of the texts that they are of.

    A text shorter than ``_PASSAGE + _WINDOW - 1`` characters has none. A fingerprint that several texts have stands
    there once for each of them, in their order.
    """
    prints, owners = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        some_prints, some_owners = _least_hashes(texts[start : start + _TEXTS_AT_ONCE])
        prints.append(some_prints)
        owners.append(start + some_owners)
    return _in_order(np.concatenate(prints), np.concatenate(owners), len(texts))


def _in_order(prints: Hashes, owners: Integers, texts: int) -> tuple[Hashes, Integers]:
    """The fingerprints and their owners, sorted by fingerprint, then owner, each pair once.

    The last bits of a fingerprint give way to its owner: one number is sorted in a third of the time that two take.
    """
    ones = np.uint64(2 ** texts.bit_length() - 1)
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


def _sharing(prints: Hashes, owners: Integers, texts: int) -> Iterator[tuple[Integers, Integers, Integers]]:
    """The pairs of texts, the earlier one first, that share a fingerprint, and how many they share.

    Each fingerprint gives all pairs of the texts that have it, up to ``MOST_SHARED`` texts; from there on neighbours.

    Args:
        prints, owners: as `_fingerprints` returns them.
        texts: how many there are.
    """
    _, sizes = _runs(prints)
    reach = np.repeat(np.cumsum(sizes), sizes) - np.arange(len(owners))  # owners of the same fingerprint from here on
    reach = np.where(np.repeat(sizes > MOST_SHARED, sizes), np.minimum(reach, 2), reach)
    ahead = np.flatnonzero(reach > 1)
    by_owner = owners[ahead].astype(np.min_scalar_type(texts))  # up to 65,535 texts numpy sorts by radix
    ahead = ahead[np.argsort(by_owner, kind="stable")]
    for some_ahead in np.split(ahead, np.searchsorted(owners[ahead], range(_TEXTS_AT_ONCE, texts, _TEXTS_AT_ONCE))):
        found, here = [], some_ahead
        for step in range(1, MOST_SHARED):
            here = here[reach[here] > step]
            found.append(owners[here] * texts + owners[here + step])
        pairs = np.sort(np.concatenate(found))  # np.unique would take twice as long
        starts, shared = _runs(pairs)
        yield *np.divmod(pairs[starts], max(texts, 1)), shared


def _doublings(goal: int) -> list[int]:
    return [2**power for power in range(goal.bit_length() - 1)]


_ODD: Final = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: a multiplier that spreads well (Knuth)
_HALF: Final = np.uint64(32)
_DOUBLINGS: Final = [(size, np.uint64(pow(int(_ODD), size, 2**64))) for size in _doublings(_PASSAGE)]
_WINDOW_DOUBLINGS: Final = _doublings(_WINDOW)


# ------------------------------------------------------------------------------------------------------- groups


def _connected(pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The sets that the pairs tie together, each in order, in the order of their least members."""
    neighbours: dict[int, set[int]] = defaultdict(set)
    for one, other in pairs:
        neighbours[one].add(other)
        neighbours[other].add(one)
    groups = []
    while neighbours:
        group, ahead = set[int](), {min(neighbours)}
        while ahead:
            group |= ahead
            ahead = set[int]().union(*(neighbours.pop(place) for place in ahead)) - group
        groups.append(sorted(group))
    return groups
