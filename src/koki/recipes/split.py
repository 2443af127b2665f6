"""The split into recipes to train on and recipes held out, such that nothing of one is in the other.

A recipe's side follows from its title alone, from a hash of its folded, lower-case form: equal titles go the same way,
and no recipe changes sides when others are added. Near-duplicates do not matter here, since the reader keeps only one
of them.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

from koki.ingredients.lexicon import fold

_HASHES: Final = 2**64


def split(titles: Iterable[str], validation_fraction: float) -> tuple[list[int], list[int]]:
    """The places of the recipes to train on and of those held out, by their titles; both in order.

    Args:
        validation_fraction: the expected share of titles that are held out, 0 to 1. A larger one holds out more and
            takes none back.
    """
    train: list[int] = []
    held_out: list[int] = []
    for place, title in enumerate(titles):
        side = held_out if _hash(_key(title)) < validation_fraction * _HASHES else train
        side.append(place)
    return train, held_out


def _key(title: str) -> str:
    """What equal titles share; a title without a Latin letter keeps its own."""
    return fold(title) or " ".join(title.lower().split())


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8], "big")
