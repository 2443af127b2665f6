"""The recipes that questions over all recipes are answered from: the best-loved ones, so that their number is bounded.

What somebody can cook with what is at hand is looked for among them, in a time that does not grow with the collection.
"""

from collections.abc import Iterable, Mapping, Sequence
from heapq import nsmallest
from typing import Final, NamedTuple

from koki.book.pantry import thing
from koki.recipes.recipe import Recipe

MOST_ON_SHELF: Final = 16_384
"""Recipes on a shelf; of a collection of as many or fewer it holds all."""


class Shelf(NamedTuple):
    """Some recipes of a collection, and what must be known of the others.

    Attributes:
        recipes: in the order in which they were read.
        names: recipe id -> name of the dish, of these.
        roots: of the main ingredients of all recipes of the collection, as `roots_in` gives them.
    """

    recipes: Sequence[Recipe]
    names: Mapping[str, str]
    roots: frozenset[str]


def shelf_of(recipes: Sequence[Recipe], names: Mapping[str, str]) -> Shelf:
    """That of a collection.

    Args:
        names: recipe id -> name of the dish, at least of those that come to stand on the shelf.
    """
    best = best_loved(recipes)
    return Shelf(best, {recipe.id: names[recipe.id] for recipe in best}, roots_in(recipes))


def best_loved(recipes: Iterable[Recipe]) -> list[Recipe]:
    """The `MOST_ON_SHELF` with most loves, of equally loved ones those with the lower id; in the order given.

    The best-loved of some parts' best-loved ones are those of the whole.
    """
    found = nsmallest(MOST_ON_SHELF, enumerate(recipes), key=lambda placed: rank(placed[1].loves, placed[1].id))
    return [recipe for _, recipe in sorted(found, key=lambda placed: placed[0])]


def roots_in(recipes: Iterable[Recipe]) -> frozenset[str]:
    """The roots of the main ingredients (`koki.book.pantry.Thing`); those of parts, joined, are those of the whole."""
    return frozenset(it.root for recipe in recipes for it in map(thing, recipe.main_ingredients) if it)


def rank(loves: int | None, recipe_id: str) -> tuple[int, str]:
    """As the pantry ranks: of two recipes the better one has the lesser."""
    return -(loves or 0), recipe_id
