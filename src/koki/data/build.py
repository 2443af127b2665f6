"""Conversations -> what a run trains on: their tokens, made here or found in the cache."""

import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from transformers import PreTrainedTokenizerBase

from koki.config import RunConfig
from koki.data.cache import Cache
from koki.data.collection import Collection
from koki.data.conversations import held_out_conversations
from koki.data.parts import divided, make_parts
from koki.data.recipes import FEWEST_TO_SPLIT, RecipesOfRun
from koki.data.token_cache import TokenCache, TrainingData, facts_of
from koki.dialogue.phrasebook import load_phrasebook
from koki.errors import DataError, KokiError
from koki.files import discard
from koki.language import _
from koki.libraries import quiet_libraries
from koki.model.source import find_base, load_tokenizer
from koki.recipes.sources import FileDigest
from koki.recipes.stored import StoredRecipes
from koki.terminal import say
from koki.tokens.dataset import ConversationDataset
from koki.tokens.template import ChatTemplate


def tokenize(recipes: RecipesOfRun, template: ChatTemplate, vocabulary_size: int, console: Console) -> TrainingData:
    """What is trained on: made from the recipes, or taken from the cache if it was made before.

    In a run whose data are in the cache no recipe is read and no conversation composed. What was made before something
    stopped it is found there too.

    Raises:
        DataError: as `read_recipes` and `ConversationDataset`.
        WorkerError: a process that made a part of it died.
    """
    cache = TokenCache(template, recipes.config)
    data = cache.find(recipes.digests)
    if data is not None:
        console.print(data.report.render())
        _say_what_is_held_out(console, data.held_out)
    else:
        data = _made_somewhere(recipes, template, vocabulary_size, cache, console)
    console.print(data.dataset.report.render())
    return data


def _made_somewhere(
    recipes: RecipesOfRun, template: ChatTemplate, vocabulary_size: int, cache: TokenCache, console: Console
) -> TrainingData:
    """Made in the cache, or elsewhere where it cannot be written: its disk is full, say."""
    try:
        return _made(recipes, template, vocabulary_size, cache, console)
    except KokiError:  # one of them is an OSError too
        raise
    except OSError as error:
        no_cache = TokenCache(template, recipes.config, Cache(None, why_none=str(error)))
        return _made(recipes, template, vocabulary_size, no_cache, console)


class Prepared(NamedTuple):
    """All that is known of training data before its parts are made.

    Attributes:
        name: of its entry in the cache.
        facts: as `facts_of` gives them.
        collection: what its parts are made of.
    """

    name: str
    facts: dict[str, Any]
    collection: Collection


def prepare(recipes: RecipesOfRun, cache: TokenCache, folder: Path, console: Console) -> Prepared:
    """Read the recipes by way of a folder, and tell what was found.

    Raises:
        DataError, WorkerError, OSError: as `koki.recipes.table.read_into`.
    """
    report = recipes.read_into(folder).report
    console.print(report.render())
    survey = recipes.survey
    held_out = [survey.lines[place].titled.title for place in recipes.places[1]]
    _say_what_is_held_out(console, held_out)
    # of the files as they were when they were read: one may have changed since its digest was looked for
    name = cache.name([FileDigest(file.path, file.sha256) for file in report.files])
    collection = Collection.of(recipes, recipes.places[0])
    recipes.forget_survey()
    return Prepared(name, facts_of(report, held_out, survey.digests), collection)


def _made(
    recipes: RecipesOfRun, template: ChatTemplate, vocabulary_size: int, cache: TokenCache, console: Console
) -> TrainingData:
    with cache.making(recipes.digests) as folder:
        name, facts, collection = prepare(recipes, cache, folder, console)
        parts = folder / name
        make_parts([*divided(collection.names)], parts, collection, template, vocabulary_size, recipes.config)
        kept = cache.keep(name, parts, facts)
        if isinstance(kept, str):
            say(console, _("Cache"), _("the tokens are not kept for the next time: {problem}", problem=kept))
        data = cache.open(parts if isinstance(kept, str) else kept, facts)
        if isinstance(kept, str):
            weakref.finalize(data.dataset, discard, folder)
        elif isinstance(recipes.read.kept, StoredRecipes):  # they are read from there as long as they are needed
            recipes.read.kept.remove_after_use(folder)
            discard(folder / "rows")
        else:
            discard(folder)
    return data


def tokenize_held_out(
    recipes: RecipesOfRun, template: ChatTemplate, vocabulary_size: int
) -> ConversationDataset | None:
    """Conversations of some of the held-out recipes, the same ones each time; None where the run looks at none.

    Only their answers are supervised, whatever is trained on, so that runs that differ in this can be compared. The
    recipes are those of the files as they are now, also where the training data were found in the cache and a file has
    changed since it was checked; none is on both sides, since the split goes by title.

    Raises:
        DataError: there are none, and the run is to stop early or to choose its best step by them.
    """
    config, evaluation = recipes.config, recipes.config.evaluation
    if evaluation.every_steps is None:
        return None
    judged = config.tokens.model_copy(update={"loss_on": "answer"})
    groups = held_out_conversations(recipes)  # what is wrong with the recipes is an error
    with suppress(DataError):  # not one fits, or there is not one
        return ConversationDataset.of(groups, template, vocabulary_size, judged)
    if evaluation.early_stopping_patience is not None or evaluation.load_best_model_at_end:
        raise DataError(
            _("No recipe is held out, so there is no held-out loss to stop early by or to choose the best step by."),
            _(
                "Hold some out (data.validation_fraction, of {fewest_to_split} recipes or more), or leave "
                "evaluation.early_stopping_patience and evaluation.load_best_model_at_end as they are.",
                fewest_to_split=FEWEST_TO_SPLIT,
            ),
        )
    return None


def build_dataset(config: RunConfig, console: Console | None = None) -> ConversationDataset:
    """The conversations that a run with this configuration would train on.

    Args:
        console: where it is told what was found; without one nothing is.

    Raises:
        KokiError: as `train`.
    """
    quiet_libraries()
    tokenizer, template = load_template(find_base(config.model).folder)
    return tokenize(RecipesOfRun(config), template, len(tokenizer), console or Console(quiet=True)).dataset


def load_template(folder: Path) -> tuple[PreTrainedTokenizerBase, ChatTemplate]:
    """The tokenizer of a base or checkpoint, and its chat template with the phrasebook's system prompt."""
    tokenizer = load_tokenizer(folder)
    return tokenizer, ChatTemplate(tokenizer, load_phrasebook().system.prompt)


def _say_what_is_held_out(console: Console, held_out: Sequence[str]) -> None:
    if not held_out:
        return
    titles = ", ".join(held_out[:5]) + (", ..." if len(held_out) > 5 else "")
    say(console, _("Held out"), _("{count:,} recipes are not trained on: {titles}", count=len(held_out), titles=titles))
    say(console, "", _("--set data.validation_fraction=0 trains on all, --set evaluation.every_steps=... watches them"))
