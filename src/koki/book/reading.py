"""What a chef reads before it answers: pages of its book, and what was worked out by program."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from koki.ingredients.parse import Ingredient, parse_ingredients
from koki.ingredients.scaling import scaled
from koki.recipes.recipe import Recipe

Wanted = Literal["recipe", "ingredients", "steps", "detail", "recommendation", "inquiry", "tip", "harm", "other"]
"""What a question wants: a recipe or a part of it, one thing in it, a dish for what is at hand, one with an ingredient,
a tip, safety from what harms, or something else than the book has."""


@dataclass(frozen=True, slots=True)
class Page:
    """A recipe as it stands in the book.

    Attributes:
        name: of the dish; no other page has it.
        at_hand: of the ingredients at hand those that the dish uses, as they were named there.
        missing: what the dish needs besides staples and is not at hand, as the recipe names it.
        times: the amounts are those of the recipe times this.
    """

    name: str
    recipe: Recipe
    at_hand: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    times: Fraction = Fraction(1)

    @property
    def ingredients(self) -> tuple[Ingredient, ...]:
        """What the recipe asks for, multiplied."""
        own = self.recipe.ingredients
        return own if self.times == 1 else parse_ingredients(scaled(own, self.times))


@dataclass(frozen=True, slots=True)
class TipPage:
    """A tip of traditional cooking as it stands in the book."""

    topic: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Pages for one question, the surest first.

    Attributes:
        pages: one where it is sure which is meant, else two or three.
        others: further dishes, which are named in a line and not given whole.
        ingredients: what is at hand, or the one that dishes are wanted with.
        absent: the dish that was asked for and is not in the book, as it was named.
        nearest: the names of the dishes that are nearest to it, three at most.
    """

    wanted: Wanted
    pages: tuple[Page, ...] = ()
    tips: tuple[TipPage, ...] = ()
    others: tuple[Page, ...] = ()
    ingredients: tuple[str, ...] = ()
    absent: str = ""
    nearest: tuple[str, ...] = ()

    @property
    def part(self) -> Literal["recipe", "ingredients", "steps"]:
        """What of the first page the answer is made of."""
        return self.wanted if self.wanted in ("ingredients", "steps") else "recipe"
