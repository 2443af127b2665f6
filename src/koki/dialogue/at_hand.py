"""What somebody may have at hand who asks what to cook."""

import random
from collections.abc import Sequence
from typing import Final

from koki.book.kitchen import unrelated_names
from koki.ingredients.lexicon import is_seasoning
from koki.recipes.recipe import Recipe

# Ingredients at hand that a recommendation names: 3 to 5, as the reference settings say.
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
