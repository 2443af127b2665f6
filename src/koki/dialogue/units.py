"""All conversations of a data set, unit by unit: those of each recipe, then of each tip and each refusal."""

import os
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from koki.config import RunConfig
from koki.dialogue.compose import Composer, Conversation
from koki.dialogue.phrasebook import Tip, load_phrasebook, load_refusals, load_tips
from koki.recipes.helper import Helper
from koki.recipes.table import Recipe

Unit = list[Conversation]

# Recipes from which on a second process saves more than it takes to start (0.5 s).
WORTH_A_PROCESS = 1_000
# Units handed over together: answers that they share are handed over once.
_AT_ONCE = 64


def compose(recipes: Sequence[Recipe], config: RunConfig) -> Iterator[Unit]:
    """The conversations of each recipe, then of each tip and each refusal.

    Those of many recipes are composed by another process, ahead of what is done with them here.
    """
    if len(recipes) < WORTH_A_PROCESS or (os.cpu_count() or 1) < 2:
        yield from _compose(recipes, config)
    else:
        with Helper(_composed_together, recipes, config) as helper:
            yield from chain.from_iterable(helper)


def composer_of(recipes: Sequence[Recipe], config: RunConfig) -> Composer:
    """Writes about these recipes what a run with this configuration trains on."""
    return Composer(load_phrasebook(), _tips(config), recipes, config.seed)


def _composed_together(recipes: Sequence[Recipe], config: RunConfig) -> Iterator[list[Unit]]:
    units = _compose(recipes, config)
    while together := list(islice(units, _AT_ONCE)):
        yield together


def _compose(recipes: Sequence[Recipe], config: RunConfig) -> Iterator[Unit]:
    composer = composer_of(recipes, config)
    for recipe in recipes:
        yield composer.compose(recipe)
    for tip in _tips(config):
        yield composer.compose_tip(tip)
    for refusal in load_refusals() if config.data.refusals else ():
        yield composer.compose_refusal(refusal)


def _tips(config: RunConfig) -> tuple[Tip, ...]:
    return load_tips() if config.data.tips else ()
