"""The parts of a data set, made side by side: the conversations about some recipes composed, fitted and tokenised."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from heapq import nsmallest
from pathlib import Path
from typing import Final, NamedTuple, Self

from koki.book.naming import names_by_number
from koki.config import RunConfig
from koki.data.conversations import conversations_besides, conversations_of, tips_of
from koki.data.recipes import RecipesOfRun
from koki.dialogue.compose import Composer
from koki.dialogue.phrasebook import load_phrasebook
from koki.dialogue.shelf import MOST_ON_SHELF, Shelf
from koki.dialogue.vocabulary import Vocabulary
from koki.language import _
from koki.progress import stage
from koki.recipes.recipe import Recipe
from koki.recipes.stored import processes_for
from koki.tokens.part import Part, PartFile
from koki.tokens.template import ChatTemplate
from koki.workers import Workers

FEWEST: Final = 1_024
"""Recipes of a part, at least: what a process makes in two seconds or three."""

MOST_PARTS: Final = 1_024
"""Parts that recipes are divided into, at most: of more than a million recipes each has more."""


@dataclass(frozen=True)
class Collection:
    """The recipes that a data set is about.

    Attributes:
        recipes: of which a worker process gets a copy, unless they are on disk.
        names: that of each dish.
        shelf: the places of those on the shelf.
        roots: of the main ingredients of all recipes, those that are held out too.
    """

    recipes: Sequence[Recipe]
    names: Sequence[str]
    shelf: Sequence[int]
    roots: frozenset[str]

    @classmethod
    def of(cls, recipes: RecipesOfRun) -> Self:
        """Those that a run trains on.

        Raises:
            DataError: all are held out.
        """
        learned, survey = recipes.split[0], recipes.survey
        titled = [survey.lines[place].titled for place in recipes.places[0]]
        best = nsmallest(MOST_ON_SHELF, range(len(titled)), key=lambda at: (-(titled[at].loves or 0), titled[at].id))
        return cls(learned, names_by_number(titled, learned), sorted(best), survey.roots)


class Some(NamedTuple):
    """What a part is made of: some of the recipes under their names, or what there is besides recipes.

    Attributes:
        number: of the part.
        start: the place of its first recipe.
    """

    number: int
    start: int
    names: Sequence[str]

    @property
    def file(self) -> str:
        """The name of the part's file."""
        return f"{self.number:05}.safetensors"


def divided(names: Sequence[str]) -> Iterator[Some]:
    """The parts of a data set about recipes of these names, a pure function of their number; the last has the rest."""
    size = FEWEST
    while len(names) > MOST_PARTS * size:
        size *= 2
    starts = range(0, len(names), size)
    yield from (Some(number, start, names[start : start + size]) for number, start in enumerate(starts))
    yield Some(len(starts), len(names), ())


def make_parts(
    parts: Sequence[Some],
    folder: Path,
    collection: Collection,
    template: ChatTemplate,
    vocabulary_size: int,
    config: RunConfig,
) -> None:
    """Make parts in a folder, each in its file; those that are there already stay.

    Raises:
        ModelError: as `Part.of`.
        WorkerError: a process died.
        OSError: the folder cannot be written.
    """
    folder.mkdir(exist_ok=True)
    on_shelf = [collection.names[place] for place in collection.shelf]
    start = partial(_Maker, folder, replace(collection, names=on_shelf), template, vocabulary_size, config)
    total = sum(len(some.names) for some in parts)
    with (
        Workers(start, processes_for(collection.recipes)) as workers,
        stage(_("Writing conversations"), total) as advance,
    ):
        for some, _made in zip(parts, workers.map(_Maker.make, parts, _label), strict=True):
            advance(len(some.names))


def open_parts(folder: Path) -> list[PartFile]:
    """The parts in a folder, in order.

    Raises:
        OSError, ValueError: one cannot be read.
    """
    return [PartFile(path) for path in sorted(folder.glob("*.safetensors"))]


def vocabulary_of(parts: Sequence[PartFile]) -> Vocabulary:
    """What the questions of some parts are made of."""
    return Vocabulary.joined(Vocabulary(*map(frozenset, part.facts["vocabulary"])) for part in parts)


def _label(some: Some) -> str:
    last = some.start + len(some.names)
    return _("conversations about recipes {first:,} to {last:,}", first=some.start + 1, last=last)


class _Maker:
    """Makes parts: what a worker process has at hand for it.

    Args:
        collection: its names are only those of the recipes on the shelf.
    """

    def __init__(
        self, folder: Path, collection: Collection, template: ChatTemplate, vocabulary_size: int, config: RunConfig
    ) -> None:
        self._folder, self._recipes, self._config = folder, collection.recipes, config
        self._template, self._vocabulary_size = template, vocabulary_size
        recipes = [self._recipes[place] for place in collection.shelf]
        names = {recipe.id: name for recipe, name in zip(recipes, collection.names, strict=True)}
        self._composer = Composer(
            load_phrasebook(), tips_of(config), Shelf(recipes, names, collection.roots), config.seed
        )

    def make(self, some: Some) -> None:
        path = self._folder / some.file
        if path.exists():
            with suppress(OSError, ValueError):
                PartFile(path)
                return
        config, composer = self._config, self._composer
        recipes = self._recipes[some.start : some.start + len(some.names)]
        named = list(zip(recipes, some.names, strict=True))
        about = (conversations_of(recipe, name, composer, config) for recipe, name in named)
        groups = about if named else conversations_besides(composer, config)
        part = Part.of(groups, self._template, self._vocabulary_size, config.tokens)
        words = Vocabulary.of(
            [recipe for recipe, _ in named], {recipe.id: name for recipe, name in named}, load_phrasebook()
        )
        part.write(path, vocabulary=[*map(sorted, words)])
