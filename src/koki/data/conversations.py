"""The conversations of a data set, group by group: those of a recipe, of a tip or of a refusal."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from koki.book.naming import names_of
from koki.config import RunConfig
from koki.data.recipes import RecipesOfRun
from koki.dialogue.compose import Composer
from koki.dialogue.conversation import Conversation
from koki.dialogue.phrasebook import Tip, load_phrasebook, load_refusals, load_tips
from koki.dialogue.shelf import shelf_of
from koki.recipes.recipe import Recipe

Group = list[Conversation]
"""The conversations of one recipe, tip or refusal."""

# Held-out recipes that conversations are drawn from: a recipe has forty conversations, which are much alike.
_MOST_HELD_OUT: Final = 50


def held_out_conversations(recipes: RecipesOfRun) -> Iterator[Group]:
    """Those of some recipes that are held out, the same ones each time."""
    config, (_, held_out) = recipes.config, recipes.split
    names = names_of(held_out)
    composer = composer_of(held_out, names, config)
    some = random.Random(f"{config.seed}:held out").sample(held_out, min(_MOST_HELD_OUT, len(held_out)))
    return (conversations_of(recipe, names[recipe.id], composer, config) for recipe in some)


def composer_of(recipes: Sequence[Recipe], names: Mapping[str, str], config: RunConfig) -> Composer:
    """The composer that writes, about these recipes, what a run with this configuration trains on."""
    return Composer(load_phrasebook(), tips_of(config), shelf_of(recipes, names), config.seed)


def conversations_of(recipe: Recipe, name: str, composer: Composer, config: RunConfig) -> Group:
    """Those that are answered from memory, then, where a run has such, those that are answered from the book."""
    read = composer.open_book.compose(recipe, name) if config.data.book_share else []
    return [*composer.compose(recipe, name), *read]


def conversations_besides(composer: Composer, config: RunConfig) -> Iterator[Group]:
    """Those of each tip, then of each refusal, that a run trains on."""
    for tip in tips_of(config):
        read = composer.open_book.compose_tip(tip) if config.data.book_share else []
        yield [*composer.compose_tip(tip), *read]
    for refusal in load_refusals() if config.data.refusals else ():
        yield composer.compose_refusal(refusal)


def tips_of(config: RunConfig) -> tuple[Tip, ...]:
    """The tips that a run trains on."""
    return load_tips() if config.data.tips else ()
