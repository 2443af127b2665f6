"""What a run trains on, kept in the user's cache and found there again."""

import hashlib
import importlib.metadata
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from koki.config import RunConfig
from koki.data.cache import Cache, fingerprint, user_folder
from koki.data.parts import open_parts, vocabulary_in
from koki.dialogue.conversation import KINDS
from koki.dialogue.vocabulary import Vocabulary
from koki.recipes.digests import Digests
from koki.recipes.findings import Oddity
from koki.recipes.report import DataReport, DroppedRow, FileReport, Spread, Warned
from koki.recipes.sources import FileDigest
from koki.tokens.dataset import ConversationDataset
from koki.tokens.template import ChatTemplate

PROGRAM: Final = (
    "koki.book.kitchen",
    "koki.book.naming",
    "koki.book.pantry",
    "koki.book.question",
    "koki.book.reading",
    "koki.book.titles",
    "koki.book.wordlists",
    "koki.book.words",
    "koki.config",
    "koki.data.build",
    "koki.data.cache",
    "koki.data.collection",
    "koki.data.conversations",
    "koki.data.parts",
    "koki.data.recipes",
    "koki.data.survey",
    "koki.data.token_cache",
    "koki.dialogue.altered",
    "koki.dialogue.at_hand",
    "koki.dialogue.book_answers",
    "koki.dialogue.compose",
    "koki.dialogue.conversation",
    "koki.dialogue.detail_facts",
    "koki.dialogue.detail_words",
    "koki.dialogue.details",
    "koki.dialogue.fit",
    "koki.dialogue.forms",
    "koki.dialogue.layout",
    "koki.dialogue.open_book",
    "koki.dialogue.pages",
    "koki.dialogue.phrasebook",
    "koki.dialogue.reasons",
    "koki.dialogue.shelf",
    "koki.dialogue.step_facts",
    "koki.dialogue.vocabulary",
    "koki.errors",
    "koki.extras",
    "koki.files",
    "koki.formatting",
    "koki.gc_paused",
    "koki.hub",
    "koki.ingredients.amounts",
    "koki.ingredients.lexicon",
    "koki.ingredients.parse",
    "koki.ingredients.parts",
    "koki.ingredients.scaling",
    "koki.ingredients.wording",
    "koki.language",
    "koki.libraries",
    "koki.lock",
    "koki.markup",
    "koki.model.hub",
    "koki.model.source",
    "koki.notices",
    "koki.progress",
    "koki.recipes.buckets",
    "koki.recipes.cleaning",
    "koki.recipes.columns",
    "koki.recipes.decoding",
    "koki.recipes.digests",
    "koki.recipes.file_kinds",
    "koki.recipes.findings",
    "koki.recipes.formats",
    "koki.recipes.hub_files",
    "koki.recipes.item_rows",
    "koki.recipes.items",
    "koki.recipes.json_documents",
    "koki.recipes.near_duplicates",
    "koki.recipes.parquet",
    "koki.recipes.parsing",
    "koki.recipes.plain_text",
    "koki.recipes.recipe",
    "koki.recipes.report",
    "koki.recipes.sequence",
    "koki.recipes.sources",
    "koki.recipes.split",
    "koki.recipes.stored",
    "koki.recipes.table",
    "koki.recipes.unsplit",
    "koki.recipes.values",
    "koki.recipes.workbook",
    "koki.records",
    "koki.tensors",
    "koki.terminal",
    "koki.tokens.dataset",
    "koki.tokens.fit_report",
    "koki.tokens.fitter",
    "koki.tokens.part",
    "koki.tokens.rendering",
    "koki.tokens.sandbox",
    "koki.tokens.store",
    "koki.tokens.template",
    "koki.tokens.words",
    "koki.user_cache",
    "koki.workers",
)
"""The modules that, with the TOML files beside them, decide the training data. A test compares them with what these
modules import, so that they do not go stale when code moves."""

# How many questions an example is chosen from, and what a shell does not leave as it is between double quotes.
_FIRST: Final = 40
_READ_BY_SHELLS: Final = frozenset('"$`\\!%\n')

# The libraries whose next version may decide otherwise.
_LIBRARIES: Final = ("ftfy", "numpy", "pydantic", "python-calamine", "rapidfuzz", "tokenizers")


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a run trains on.

    Attributes:
        report: what the reader found in the recipe files.
        held_out: the titles of the recipes that are held out.
        digests: of all recipes, those held out too.
        vocabulary: what the questions are made of.
    """

    dataset: ConversationDataset
    report: DataReport
    held_out: tuple[str, ...]
    digests: Digests
    vocabulary: Vocabulary

    @property
    def recipes(self) -> int:
        """The number of recipes that are trained on."""
        return self.report.rows_kept - len(self.held_out)

    @property
    def example_question(self) -> str | None:
        """The shortest standard question about one of the first recipes, if shells leave one as it is in quotes."""
        numbers = np.flatnonzero(self.dataset.kinds == KINDS.index("standard"))[:_FIRST]
        questions = (self.dataset.texts(int(number))[0] for number in numbers)
        return min((question for question in questions if not _READ_BY_SHELLS & set(question)), key=len, default=None)


class TokenCache:
    """The training data of a configuration in the user's cache, if it was made before.

    The name of an entry says what decides the data: the content of the recipe files, the settings, the tokenizer with
    its chat template, and the program itself.
    """

    def __init__(self, template: ChatTemplate, config: RunConfig, cache: Cache | None = None) -> None:
        self._cache = cache or Cache(user_folder())
        self._template, self._config = template, config

    def find(self, files: Sequence[FileDigest]) -> TrainingData | None:
        """The training data that was made of these recipe files earlier; None if there is none."""
        entry = self._cache.find(self.name(files))
        return None if entry is None else self.open(*entry)

    def making(self, files: Sequence[FileDigest]) -> AbstractContextManager[Path]:
        """A folder for what is made on the way; see `Cache.making`."""
        return self._cache.making(self.name(files))

    def keep(self, name: str, parts: Path, facts: Mapping[str, Any]) -> Path | str:
        """Keep training data for the next time.

        Args:
            parts: the folder of its parts, which is moved.
            facts: as `facts_of` gives them.

        Returns:
            Where the parts are now, or why they cannot be kept.
        """
        return self._cache.keep(name, parts, facts)

    def open(self, parts: Path, facts: Mapping[str, Any]) -> TrainingData:
        """The training data in a folder of parts.

        Raises:
            DataError: not one conversation fits.
            OSError, ValueError: a part cannot be read.
        """
        found = open_parts(parts)
        return TrainingData(
            ConversationDataset(found, self._template, self._config.tokens),
            _report(facts["data"]),
            tuple(facts["held out"]),
            facts["recipes"],
            vocabulary_in(found),
        )

    def name(self, files: Sequence[FileDigest]) -> str:
        """That of the entry for these recipe files."""
        data, tokens = self._config.data, self._config.tokens
        groups = (data.validation_fraction, data.tips, data.refusals, data.book_share > 0)
        settings = (data.columns, data.items, data.sheet, *groups, self._config.seed, tokens.max_length)
        return fingerprint(self._template.fingerprint, files, settings, _program(*PROGRAM))


def facts_of(report: DataReport, held_out: Sequence[str], digests: Digests) -> dict[str, Any]:
    """What is kept of training data beside its parts, JSON-ready."""
    return {"data": asdict(report), "held out": held_out, "recipes": digests}


@cache
def _program(*modules: str) -> str:
    """The fingerprint of these modules and of all that they depend on, which another version of Koki does not share."""
    files = {Path(str(module.__file__)) for module in map(import_module, modules)}
    files |= {words for file in files for words in file.parent.glob("*.toml")}
    versions = [importlib.metadata.version(library) for library in _LIBRARIES]
    contents = [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files)]
    return fingerprint(sys.version, versions, contents)


def _report(facts: Mapping[str, Any]) -> DataReport:
    files = [
        FileReport(
            **file
            | {
                "dropped": [DroppedRow.of_dict(row) for row in file["dropped"]],
                "warnings": [Warned(**it | {"oddity": Oddity(it["oddity"])}) for it in file["warnings"]],
            }
        )
        for file in facts["files"]
    ]
    return DataReport(files, {name: Spread(**spread) for name, spread in facts["lengths"].items()})
