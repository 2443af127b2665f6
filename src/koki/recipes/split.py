"""The split into recipes to train on and recipes to validate on, such that nothing of one is in the other.

A recipe's side follows from its title alone: from a hash of its folded, lower-case form. So equal titles go the same
way, and recipes that are added later move nobody. Near-duplicates under different titles, of which one would go to
train and one to validation, all go to train, along with whatever shares a title with one of them.

This is as steady as a split without leaks can be. Let a be a recipe to train on and b one to validate on, as different
as can be, and let a near-duplicate of both be added: with either it must go, so one of them has to move. Here it is b.
Hence the laws, where more recipes are added and near-duplicates stay so:

- A recipe to train on is never one to validate on afterwards.
- A recipe to validate on stays one, unless it is tied to a title that goes to train: by being a near-duplicate of such
  a recipe, or by sharing its title with one that is.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from koki.recipes.ingredients import fold
from koki.recipes.table import Recipe

_HASHES: Final = 2**64


def split(
    recipes: Sequence[Recipe], validation_fraction: float, groups: Sequence[Sequence[int]]
) -> tuple[list[Recipe], list[Recipe]]:
    """The recipes to train on and those to validate on, both in order.

    Args:
        validation_fraction: the expected share of titles in validation, 0 to 1. 0 trains on all. A larger fraction
            takes more recipes to validation and none back.
        groups: places of near-duplicates of each other, as `koki.recipes.near_duplicates.near_duplicate_groups`
            returns them.
    """
    keys = [_key(recipe.title) for recipe in recipes]
    validated = {key for key in keys if _hash(key) < validation_fraction * _HASHES}
    validated -= _tied_to_train({frozenset(keys[place] for place in group) for group in groups}, validated)
    train = [recipe for recipe, key in zip(recipes, keys, strict=True) if key not in validated]
    validation = [recipe for recipe, key in zip(recipes, keys, strict=True) if key in validated]
    return train, validation


def _key(title: str) -> str:
    """What equal titles share; a title without a Latin letter keeps its own."""
    return fold(title) or " ".join(title.lower().split())


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8], "big")


def _tied_to_train(ties: set[frozenset[str]], validated: set[str]) -> set[str]:
    """The keys of those to validate that ties, one after the other, connect with a key that goes to train."""
    reached: set[str] = set()
    mixed = {tie for tie in ties if not tie <= validated}
    while mixed:
        reached = reached.union(*mixed)
        ties -= mixed
        mixed = {tie for tie in ties if tie & reached}
    return reached
