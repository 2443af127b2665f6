"""A recipe with other amounts and some other lines: whoever knows the recipe by heart must still read its page."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from koki.ingredients.parse import parse_ingredients
from koki.recipes.recipe import Recipe, identity

# The share of ingredient lines and of steps that are another recipe's.
_OTHER_LINES: Final = 0.25
_OTHER_STEPS: Final = 0.15
_NUMBER: Final = re.compile(r"[1-9]\d*")


def altered(recipe: Recipe, others: Sequence[Recipe], draw: random.Random) -> Recipe:
    """The recipe with other numbers everywhere, and with some lines and steps of other recipes.

    Args:
        others: where those lines come from; without any, only the numbers are others.
    """
    lines = [
        item.raw if item.heading else renumbered(_other(item.raw, others, draw), draw) for item in recipe.ingredients
    ]
    steps = tuple(
        renumbered(draw.choice(draw.choice(others).steps) if others and draw.random() < _OTHER_STEPS else step, draw)
        for step in recipe.steps
    )
    return replace(
        recipe, id=identity(recipe.title, lines, steps), ingredients=tuple(parse_ingredients(lines)), steps=steps
    )


def renumbered(text: str, draw: random.Random) -> str:
    """The text with other numbers of as many digits."""
    return _NUMBER.sub(lambda number: str(draw.randint(1, 10 ** len(number[0]) - 1)), text)


def _other(line: str, others: Sequence[Recipe], draw: random.Random) -> str:
    """The line, or at times one of another recipe."""
    if not others or draw.random() >= _OTHER_LINES:
        return line
    lines = [item.raw for item in draw.choice(others).ingredients if not item.heading]
    return draw.choice(lines) if lines else line
