"""From a configuration to what a run trains on: files are read, recipes held out, conversations made into tokens."""

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Final

from rich.console import Console
from transformers import PreTrainedTokenizerBase

from koki.config import RunConfig
from koki.data.conversations import compose, composer_of
from koki.data.token_cache import TokenCache, TrainingData
from koki.dialogue.phrasebook import load_phrasebook
from koki.errors import DataError
from koki.libraries import quiet_libraries
from koki.model.source import find_base, load_tokenizer
from koki.recipes.decoding import FileDigest, read_digests
from koki.recipes.recipe import Recipe
from koki.recipes.report import DataReport
from koki.recipes.split import split
from koki.recipes.table import read_recipes, require_files
from koki.terminal import say
from koki.tokens.dataset import ConversationDataset
from koki.tokens.template import ChatTemplate

FEWEST_TO_SPLIT: Final = 100
"""Recipes from which on some are held out: of fewer, 5 % are a handful, and a user with thirty wants all thirty."""

# Held-out recipes that conversations are drawn from: a recipe has forty conversations, which are much alike.
_MOST_RECIPES: Final = 50


@dataclass(frozen=True)
class Recipes:
    """The recipes of a configuration; each thing is read when it is first asked for, and once.

    Attributes:
        checked: what `check_files` returned for the configuration; None where the files were not checked.
    """

    config: RunConfig
    checked: Sequence[FileDigest] | None = None

    @cached_property
    def digests(self) -> Sequence[FileDigest]:
        """The digest of each file as it was when it was checked; of one that was not, as it is now.

        Raises:
            RecipeFileNotFound, DataError: a file cannot be read.
        """
        return read_digests(recipe_files(self.config)) if self.checked is None else self.checked

    @cached_property
    def read(self) -> tuple[list[Recipe], DataReport]:
        """All recipes, and the report on their files.

        Raises:
            RecipeFileNotFound, DataError: as `read_recipes`.
        """
        return read_recipes(recipe_files(self.config), self.config.data.columns)

    @cached_property
    def split(self) -> tuple[list[Recipe], list[Recipe]]:
        """See `split_recipes`."""
        return split_recipes(self.read[0], self.config)


def check_files(config: RunConfig) -> list[FileDigest]:
    """Check the recipe files of a configuration, before anything expensive is begun.

    Returns:
        The digest of each file, for `data_of_run`: training data that was made of these very bytes is found without
        another look at the files. If they change meanwhile and there is no such data, they count as they are by then.

    Raises:
        RecipeFileNotFound, DataError: as `require_files`.
    """
    return require_files(recipe_files(config), config.data.columns)


def data_of_run(
    config: RunConfig,
    files: Sequence[FileDigest],
    template: ChatTemplate,
    vocabulary_size: int,
    console: Console,
) -> tuple[TrainingData, ConversationDataset | None]:
    """What a run with this configuration trains on, and the held-out conversations that it looks at meanwhile.

    Args:
        files: what `check_files` returned for the configuration.

    Raises:
        DataError: as `training_data` and `held_out_data`.
    """
    recipes = Recipes(config, files)
    data = training_data(recipes, template, vocabulary_size, console)
    return data, held_out_data(recipes, template, vocabulary_size)


def training_data(recipes: Recipes, template: ChatTemplate, vocabulary_size: int, console: Console) -> TrainingData:
    """What is trained on: made from the recipes, or taken from the cache if it was made before.

    Raises:
        DataError: as `read_recipes` and `ConversationDataset`.
    """
    config = recipes.config
    cache = TokenCache(template, config)
    data = cache.find(recipes.digests)
    if data is not None:
        console.print(data.report.render())
        _say_what_is_held_out(console, data.held_out)
    else:
        # recipe CSV: structure, cleaning
        _, report = recipes.read
        console.print(report.render())

        # split; conversations; chat template; tokens
        learned, held_out = recipes.split
        titles = tuple(recipe.title for recipe in held_out)
        _say_what_is_held_out(console, titles)
        groups, known = compose(learned, config), cache.known_pieces()
        dataset = ConversationDataset(groups, template, vocabulary_size, config.tokens, known)
        data = TrainingData(dataset, report, titles)
        if (problem := cache.keep(data)) is not None:
            say(console, "Cache", f"the tokens are not kept for the next time: {problem}")
    console.print(data.dataset.report.render())
    return data


def held_out_data(recipes: Recipes, template: ChatTemplate, vocabulary_size: int) -> ConversationDataset | None:
    """Conversations of some of the held-out recipes, the same ones each time; None where the run looks at none.

    Only their answers are supervised, whatever is trained on, so that runs that differ in this can be compared.

    Raises:
        DataError: there are none, and the run is to stop early or to choose its best step by them.
    """
    config, evaluation = recipes.config, recipes.config.evaluation
    if evaluation.every_steps is None:
        return None
    _, held_out = recipes.split
    composer = composer_of(held_out, config)
    looked_at = random.Random(f"{config.seed}:held out").sample(held_out, min(_MOST_RECIPES, len(held_out)))
    judged = config.tokens.model_copy(update={"loss_on": "answer"})
    with suppress(DataError):  # not one fits, or there is not one
        return ConversationDataset(map(composer.compose, looked_at), template, vocabulary_size, judged)
    if evaluation.early_stopping_patience is not None or evaluation.load_best_model_at_end:
        raise DataError(
            "No recipe is held out, so there is no held-out loss to stop early by or to choose the best step by.",
            f"Hold some out (data.validation_fraction, of {FEWEST_TO_SPLIT} recipes or more), or leave "
            "evaluation.early_stopping_patience and evaluation.load_best_model_at_end as they are.",
        )
    return None


def build_dataset(config: RunConfig) -> ConversationDataset:
    """The conversations that a run with this configuration would train on.

    Raises:
        KokiError: as `train`.
    """
    quiet_libraries()
    tokenizer, template = load_template(find_base(config.model).location, config)
    return training_data(Recipes(config), template, len(tokenizer), Console(quiet=True)).dataset


def recipe_files(config: RunConfig) -> list[Path]:
    """The configured files, or the recipes that ship with Koki."""
    if config.data.files:
        return [Path(file) for file in config.data.files]
    return [Path(str(resources.files("koki.recipes") / "samples.csv"))]


def split_recipes(recipes: list[Recipe], config: RunConfig) -> tuple[list[Recipe], list[Recipe]]:
    """The recipes to train on and those held out; of few recipes none is held out, since it would measure nothing.

    Raises:
        DataError: all are held out.
    """
    if len(recipes) < FEWEST_TO_SPLIT:
        return recipes, []
    train_recipes, held_out = split(recipes, config.data.validation_fraction)
    if not train_recipes:
        raise DataError(f"All {len(held_out)} recipes are held out.", "Train on all: --set data.validation_fraction=0")
    return train_recipes, held_out


def load_template(location: str, config: RunConfig) -> tuple[PreTrainedTokenizerBase, ChatTemplate]:
    """The tokenizer of a base or checkpoint, and its chat template with the phrasebook's system prompt."""
    tokenizer = load_tokenizer(location, config.model.revision)
    return tokenizer, ChatTemplate(tokenizer, load_phrasebook().system.prompt)


def _say_what_is_held_out(console: Console, held_out: Sequence[str]) -> None:
    if not held_out:
        return
    titles = ", ".join(held_out[:5]) + (", ..." if len(held_out) > 5 else "")
    say(console, "Held out", f"{len(held_out):,} recipes are not trained on: {titles}")
    say(console, "", "--set data.validation_fraction=0 trains on all, --set evaluation.every_steps=... watches them")
