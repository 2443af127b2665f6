"""What somebody may have at hand who asks what to cook, and what of it a dish uses."""

import random
from collections.abc import Sequence
from typing import Final

from koki.book.pantry import Suggestion, by_root, thing
from koki.dialogue.kitchen import unrelated_names
from koki.ingredients.lexicon import is_seasoning
from koki.recipes.recipe import Recipe

# Ingredients at hand that a recommendation names: 3 to 5, as the mission says.
_FEWEST: Final = 3
_MOST: Final = 5


def draw_at_hand(recipe: Recipe, draw: random.Random) -> list[str]:
    """3 to 5 of a recipe's main ingredients, at least one of them more than a seasoning where there is one.

    None of a recipe that has fewer.
    """
    names: Sequence[str] = unrelated_names(recipe)
    if len(names) < _FEWEST or all(map(is_seasoning, names)):
        names = recipe.main_ingredients
    if len(names) < _FEWEST:
        return []
    count = draw.randint(_FEWEST, min(_MOST, len(names)))
    first = draw.choice([name for name in names if not is_seasoning(name)] or names)
    rest = draw.sample([name for name in names if name != first], count - 1)
    return [first, *rest]


def used_of(at_hand: Sequence[str], suggestion: Suggestion) -> tuple[str, ...]:
    """What the dish uses of what is at hand, as it was named there: "ayam", though the recipe says "ayam kampung"."""
    met = by_root(it for it in map(thing, suggestion.at_hand) if it)
    have = {name: thing(name) for name in at_hand}
    return tuple(name for name, it in have.items() if it and any(map(it.is_related_to, met.get(it.root, ()))))
