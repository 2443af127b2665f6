"""All conversations of a data set, group by group: those of each recipe, then of each tip and each refusal."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from koki.book.naming import names_of
from koki.config import RunConfig
from koki.data.recipes import RecipesOfRun
from koki.dialogue.compose import Composer
from koki.dialogue.conversation import Conversation
from koki.dialogue.phrasebook import Tip, load_phrasebook, load_refusals, load_tips
from koki.dialogue.shelf import shelf_of
from koki.dialogue.vocabulary import Vocabulary
from koki.recipes.recipe import Recipe
from koki.tokens.fitter import together
from koki.workers import Helper, pays

Group = list[Conversation]
"""The conversations of one recipe, tip or refusal."""

WORTH_A_PROCESS: Final = 1_000
"""Recipes from which on a second process saves more than it takes to start (0.5 s)."""


# Held-out recipes that conversations are drawn from: a recipe has forty conversations, which are much alike.
_MOST_HELD_OUT: Final = 50


@dataclass(frozen=True)
class Conversations:
    """The conversations of a run: more than forty a recipe, composed while they are iterated over."""

    recipes: RecipesOfRun

    def __iter__(self) -> Iterator[Group]:
        """Compose those that are trained on."""
        learned, _ = self.recipes.split
        return compose(learned, self.recipes.config)

    @property
    def vocabulary(self) -> Vocabulary:
        """What the questions of those that are trained on are made of."""
        learned, _ = self.recipes.split
        return Vocabulary.of(learned, names_of(learned), load_phrasebook())

    def held_out(self) -> Iterator[Group]:
        """Compose those of some recipes that are held out, the same ones each time."""
        config, (_, held_out) = self.recipes.config, self.recipes.split
        names = names_of(held_out)
        composer = composer_of(held_out, names, config)
        some = random.Random(f"{config.seed}:held out").sample(held_out, min(_MOST_HELD_OUT, len(held_out)))
        return (conversations_of(recipe, names[recipe.id], composer, config) for recipe in some)


def compose(recipes: Sequence[Recipe], config: RunConfig) -> Iterator[Group]:
    """The conversations of each recipe, then of each tip and each refusal.

    Those of many recipes are composed by a second process, ahead of their use in this one.
    """
    if pays(len(recipes), WORTH_A_PROCESS):
        with Helper(_composed_together, recipes, config) as helper:
            yield from chain.from_iterable(helper)
    else:
        yield from _compose(recipes, config)


def composer_of(recipes: Sequence[Recipe], names: Mapping[str, str], config: RunConfig) -> Composer:
    """The composer that writes, about these recipes, what a run with this configuration trains on."""
    return Composer(load_phrasebook(), _tips(config), shelf_of(recipes, names), config.seed)


def conversations_of(recipe: Recipe, name: str, composer: Composer, config: RunConfig) -> Group:
    """Those that are answered from memory, then, where a run has such, those that are answered from the book."""
    read = composer.open_book.compose(recipe, name) if config.data.book_share else []
    return [*composer.compose(recipe, name), *read]


def _composed_together(recipes: Sequence[Recipe], config: RunConfig) -> Iterator[list[Group]]:
    return together(_compose(recipes, config))


def _compose(recipes: Sequence[Recipe], config: RunConfig) -> Iterator[Group]:
    names = names_of(recipes)
    composer = composer_of(recipes, names, config)
    for recipe in recipes:
        yield conversations_of(recipe, names[recipe.id], composer, config)
    for tip in _tips(config):
        read = composer.open_book.compose_tip(tip) if config.data.book_share else []
        yield [*composer.compose_tip(tip), *read]
    for refusal in load_refusals() if config.data.refusals else ():
        yield composer.compose_refusal(refusal)


def _tips(config: RunConfig) -> tuple[Tip, ...]:
    return load_tips() if config.data.tips else ()
