"""All conversations of a data set, group by group: those of each recipe, then of each tip and each refusal."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from koki.config import RunConfig
from koki.dialogue.compose import Composer, Conversation
from koki.dialogue.phrasebook import Tip, load_phrasebook, load_refusals, load_tips
from koki.recipes.recipe import Recipe
from koki.tokens.fitter import together
from koki.workers import Helper, pays

Group = list[Conversation]

WORTH_A_PROCESS: Final = 1_000
"""Recipes from which on a second process saves more than it takes to start (0.5 s)."""


def compose(recipes: Sequence[Recipe], config: RunConfig) -> Iterator[Group]:
    """The conversations of each recipe, then of each tip and each refusal.

    Those of many recipes are composed by a second process, ahead of their use in this one.
    """
    if pays(len(recipes), WORTH_A_PROCESS):
        with Helper(_composed_together, recipes, config) as helper:
            yield from chain.from_iterable(helper)
    else:
        yield from _compose(recipes, config)


def composer_of(recipes: Sequence[Recipe], config: RunConfig) -> Composer:
    """The composer that writes, about these recipes, what a run with this configuration trains on."""
    return Composer(load_phrasebook(), _tips(config), recipes, config.seed)


def _composed_together(recipes: Sequence[Recipe], config: RunConfig) -> Iterator[list[Group]]:
    return together(_compose(recipes, config))


def _compose(recipes: Sequence[Recipe], config: RunConfig) -> Iterator[Group]:
    composer = composer_of(recipes, config)
    for recipe in recipes:
        yield composer.compose(recipe)
    for tip in _tips(config):
        yield composer.compose_tip(tip)
    for refusal in load_refusals() if config.data.refusals else ():
        yield composer.compose_refusal(refusal)


def _tips(config: RunConfig) -> tuple[Tip, ...]:
    return load_tips() if config.data.tips else ()
