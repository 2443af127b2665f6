"""All conversations of a data set, group by group: those of each recipe, then of each tip and each refusal."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from koki.config import RunConfig
from koki.data.recipes import RecipesOfRun
from koki.dialogue.compose import Composer
from koki.dialogue.conversation import Conversation
from koki.dialogue.phrasebook import Tip, load_phrasebook, load_refusals, load_tips
from koki.dialogue.vocabulary import Vocabulary
from koki.recipes.recipe import Recipe

Group = list[Conversation]
"""The conversations of one recipe, tip or refusal."""

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
        return composer_of(learned, self.recipes.config).vocabulary

    def held_out(self) -> Iterator[Group]:
        """Compose those of some recipes that are held out, the same ones each time."""
        config, (_, held_out) = self.recipes.config, self.recipes.split
        composer = composer_of(held_out, config)
        some = random.Random(f"{config.seed}:held out").sample(held_out, min(_MOST_HELD_OUT, len(held_out)))
        return (conversations_of(recipe, composer, config) for recipe in some)


def compose(recipes: Sequence[Recipe], config: RunConfig) -> Iterator[Group]:
    """The conversations of each recipe, then of each tip and each refusal."""
    composer = composer_of(recipes, config)
    for recipe in recipes:
        yield conversations_of(recipe, composer, config)
    for tip in _tips(config):
        read = composer.open_book.compose_tip(tip) if config.data.book_share else []
        yield [*composer.compose_tip(tip), *read]
    for refusal in load_refusals() if config.data.refusals else ():
        yield composer.compose_refusal(refusal)


def composer_of(recipes: Sequence[Recipe], config: RunConfig) -> Composer:
    """The composer that writes, about these recipes, what a run with this configuration trains on."""
    return Composer(load_phrasebook(), _tips(config), recipes, config.seed)


def conversations_of(recipe: Recipe, composer: Composer, config: RunConfig) -> Group:
    """Those that are answered from memory, then, where a run has such, those that are answered from the book."""
    read = composer.open_book.compose(recipe) if config.data.book_share else []
    return [*composer.compose(recipe), *read]


def _tips(config: RunConfig) -> tuple[Tip, ...]:
    return load_tips() if config.data.tips else ()
