"""What the tests of evaluation share: the recipes that ship, and the true answers about them."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from helpers import composer_of, composing

import koki.evaluation
import koki.recipes
from koki.book.naming import names_of
from koki.config import RunConfig, load_config
from koki.data.recipes import RecipesOfRun
from koki.dialogue.conversation import Conversation
from koki.dialogue.phrasebook import load_phrasebook, load_refusals, load_tips
from koki.evaluation.cookbook import Cookbook
from koki.evaluation.questions import Examiner
from koki.inference.answer import Answer
from koki.inference.engine import Ending
from koki.model.source import find_base, load_tokenizer
from koki.recipes.recipe import Recipe
from koki.recipes.table import read_recipes
from koki.tokens.template import ChatTemplate

SAMPLES = Path(koki.recipes.__file__).parent / "samples.csv"
ADDED = Path(koki.evaluation.__file__).parent / "added.csv"


@cache
def config() -> RunConfig:
    """A run on the recipes that ship, of which some are held out."""
    return load_config(settings={"model.name": "mini", "data.validation_fraction": 0.15})


@cache
def samples() -> tuple[list[Recipe], list[Recipe]]:
    """Those trained on and those held out."""
    learned, held_out = RecipesOfRun(config()).split
    return list(learned), list(held_out)


@cache
def added() -> Sequence[Recipe]:
    """Those that its book got afterwards."""
    return read_recipes(ADDED)


@cache
def cookbook() -> Cookbook:
    """All of them, under their names."""
    train, held_out = samples()
    names = names_of(train) | names_of(held_out) | names_of(added())
    return Cookbook([*train, *held_out, *added()], names)


@cache
def examiner(seed: int = 42) -> Examiner:
    """Of that run."""
    tokenizer = load_tokenizer(find_base(config().model).location)
    template = ChatTemplate(tokenizer, load_phrasebook().system.prompt)
    return Examiner(*samples(), config(), template, len(tokenizer), seed, added())


@cache
def trained_on() -> list[Conversation]:
    """Every conversation of that run that is answered from memory."""
    train, tips = samples()[0], load_tips()
    composer, compose = composer_of(train, config().seed), composing(train, config().seed)
    about_recipes = [one for recipe in train for one in compose(recipe)]
    about_tips = [one for tip in tips for one in composer.compose_tip(tip)]
    declined = [one for refusal in load_refusals() for one in composer.compose_refusal(refusal)]
    return [*about_recipes, *about_tips, *declined]


@cache
def read_for() -> list[Conversation]:
    """Those that are answered from the book, where a run has such."""
    train = samples()[0]
    names, book = names_of(train), composer_of(train, config().seed).open_book
    return [one for recipe in train for one in book.compose(recipe, names[recipe.id])]


def recipe_named(title: str) -> Recipe:
    """One of them."""
    return next(recipe for side in samples() for recipe in side if recipe.title == title)


def said(answer: str, *, ended_by: Ending = "stop_token", tokens: int = 100) -> Answer:
    """An answer that a chef might give."""
    return Answer("?", answer, ended_by, tokens, 1.0)
