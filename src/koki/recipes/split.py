"""The split into recipes to train on and recipes held out, such that nothing of one is in the other.

A recipe's side follows from its title alone, from a hash of its folded, lower-case form: equal titles go the same way,
and no recipe changes sides when others are added. Near-duplicates do not matter here, since the reader keeps only one
of them.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from koki.ingredients.lexicon import fold
from koki.recipes.recipe import Recipe

_HASHES: Final = 2**64


def split(recipes: Sequence[Recipe], validation_fraction: float) -> tuple[list[Recipe], list[Recipe]]:
    """The recipes to train on and those held out, both in order.

    Args:
        validation_fraction: the expected share of titles that are held out, 0 to 1. A larger one holds out more and
            takes none back.
    """
    train: list[Recipe] = []
    held_out: list[Recipe] = []
    for recipe in recipes:
        side = held_out if _hash(_key(recipe.title)) < validation_fraction * _HASHES else train
        side.append(recipe)
    return train, held_out


def _key(title: str) -> str:
    """What equal titles share; a title without a Latin letter keeps its own."""
    return fold(title) or " ".join(title.lower().split())


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8], "big")
