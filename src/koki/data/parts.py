"""The parts of a data set, made side by side: the conversations about some recipes composed, fitted and tokenised."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from koki.config import RunConfig
from koki.data.collection import Collection, vocabulary_of
from koki.data.conversations import conversations_besides, conversations_of
from koki.dialogue.vocabulary import Vocabulary
from koki.language import _
from koki.progress import stage
from koki.recipes.stored import processes_for
from koki.tokens.part import Part, PartFile
from koki.tokens.template import ChatTemplate
from koki.workers import Workers

FEWEST: Final = 1_024
"""Recipes of a part, at least: what a process makes in two seconds or three."""

MOST_PARTS: Final = 1_024
"""Parts that recipes are divided into, at most: of more than a million recipes each has more."""


class PartPlan(NamedTuple):
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


def divided(names: Sequence[str] | Mapping[int, str]) -> Iterator[PartPlan]:
    """The parts of a data set about recipes of these names, a pure function of their number; the last has the rest."""
    size = FEWEST
    while len(names) > MOST_PARTS * size:
        size *= 2
    starts = range(0, len(names), size)
    for number, start in enumerate(starts):
        places = range(start, min(start + size, len(names)))
        yield PartPlan(number, start, [names[place] for place in places])
    yield PartPlan(len(starts), len(names), ())


def make_parts(
    plans: Sequence[PartPlan],
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
    start = partial(_Maker, folder, collection.without_other_names(), template, vocabulary_size, config)
    total = sum(len(plan.names) for plan in plans)
    with (
        Workers(start, processes_for(collection.recipes)) as workers,
        stage(_("Writing conversations"), total) as advance,
    ):
        for plan, _made in zip(plans, workers.map(_Maker.make, plans, _label), strict=True):
            advance(len(plan.names))


def open_parts(folder: Path) -> list[PartFile]:
    """The parts in a folder, in order.

    Raises:
        OSError, ValueError: one cannot be read.
    """
    return [PartFile(path) for path in sorted(folder.glob("*.safetensors"))]


def vocabulary_in(parts: Sequence[PartFile]) -> Vocabulary:
    """What the questions of some parts are made of."""
    return Vocabulary.joined(Vocabulary(*map(frozenset, part.facts()["vocabulary"])) for part in parts)


def _label(plan: PartPlan) -> str:
    last = plan.start + len(plan.names)
    return _("conversations about recipes {first:,} to {last:,}", first=plan.start + 1, last=last)


class _Maker:
    """Makes parts: what a worker process has at hand for it.

    Args:
        collection: of its names those of the recipes on the shelf are enough.
    """

    def __init__(
        self, folder: Path, collection: Collection, template: ChatTemplate, vocabulary_size: int, config: RunConfig
    ) -> None:
        self._folder, self._recipes, self._config = folder, collection.recipes, config
        self._template, self._vocabulary_size = template, vocabulary_size
        self._composer = collection.composer(config)

    def make(self, plan: PartPlan) -> None:
        path = self._folder / plan.file
        if path.exists():
            with suppress(OSError, ValueError):
                PartFile(path)
                return
        config, composer = self._config, self._composer
        recipes = list(self._recipes[plan.start : plan.start + len(plan.names)])  # from the disk once
        about = (
            conversations_of(recipe, name, composer, config) for recipe, name in zip(recipes, plan.names, strict=True)
        )
        groups = about if plan.names else conversations_besides(composer, config)
        part = Part.of(groups, self._template, self._vocabulary_size, config.tokens)
        part.write(path, vocabulary=[*map(sorted, vocabulary_of(recipes, plan.names))])
