"""What a run trains on, kept in the user's cache and found there again."""

import hashlib
import importlib.metadata
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from koki.config import RunConfig
from koki.data.cache import Cache, fingerprint, user_folder
from koki.dialogue.conversation import KINDS
from koki.dialogue.vocabulary import Vocabulary
from koki.recipes.digests import Digests
from koki.recipes.findings import Oddity, Reason
from koki.recipes.report import DataReport, DroppedRow, FileReport, Spread, Warned
from koki.recipes.sources import FileDigest
from koki.tokens.dataset import ConversationDataset
from koki.tokens.store import KnownPieces, Sequences
from koki.tokens.template import ChatTemplate

PIECES: Final = (
    "koki.errors",
    "koki.gc_paused",
    "koki.language",
    "koki.tokens.rendering",
    "koki.tokens.sandbox",
    "koki.tokens.store",
    "koki.tokens.template",
    "koki.tokens.words",
    "koki.workers",
)
"""The modules that, with the TOML files beside them, decide the ids of a piece of text."""

PROGRAM: Final = (
    *PIECES,
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
    "koki.data.conversations",
    "koki.data.recipes",
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
    "koki.dialogue.step_facts",
    "koki.dialogue.vocabulary",
    "koki.extras",
    "koki.files",
    "koki.ingredients.amounts",
    "koki.ingredients.lexicon",
    "koki.ingredients.parse",
    "koki.ingredients.parts",
    "koki.ingredients.scaling",
    "koki.ingredients.wording",
    "koki.libraries",
    "koki.markup",
    "koki.hub",
    "koki.notices",
    "koki.model.hub",
    "koki.model.source",
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
    "koki.recipes.plain_text",
    "koki.recipes.recipe",
    "koki.recipes.report",
    "koki.recipes.sequence",
    "koki.recipes.sources",
    "koki.recipes.split",
    "koki.recipes.table",
    "koki.recipes.unsplit",
    "koki.recipes.values",
    "koki.recipes.workbook",
    "koki.records",
    "koki.terminal",
    "koki.tokens.dataset",
    "koki.tokens.fit_report",
    "koki.tokens.fitter",
    "koki.user_cache",
)
"""The modules that, with the TOML files beside them, decide all training data. A test compares both tuples with what
the modules import, so that neither goes stale when code moves."""

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
    its chat template, and the program itself. What decides the ids of a piece stands first in the name, so that after
    an edit of the recipes the pieces of an earlier entry are found.
    """

    def __init__(self, template: ChatTemplate, config: RunConfig) -> None:
        self._cache = Cache(user_folder())
        self._template, self._config = template, config
        self._pieces = fingerprint(template.fingerprint, _program(*PIECES))

    def find(self, files: Sequence[FileDigest]) -> TrainingData | None:
        """The training data that was made of these recipe files earlier; None if there is none."""
        entry = self._cache.find(self._name(files))
        if entry is None:
            return None
        dataset = ConversationDataset.kept(entry.arrays, entry.facts, self._template, self._config.tokens)
        facts = entry.facts
        vocabulary = Vocabulary(*map(frozenset, facts["vocabulary"]))
        return TrainingData(dataset, _report(facts["data"]), tuple(facts["held out"]), facts["recipes"], vocabulary)

    def known_pieces(self) -> KnownPieces | None:
        """The pieces of the training data that was used last, if they have the ids that this tokenizer gives them."""
        entry = self._cache.find_like(self._pieces)
        if entry is None:
            return None
        arrays = entry.arrays
        return KnownPieces(Sequences(arrays["tokens"], arrays["token_ends"]), arrays["digests"])

    def keep(self, data: TrainingData) -> str | None:
        """Keep training data for the next time.

        Returns:
            None, or why it cannot be kept.
        """
        # the files as they were when they were parsed: one may have changed since its digest was looked for
        files = [FileDigest(file.path, file.sha256) for file in data.report.files]
        facts = {
            **data.dataset.facts(),
            "data": asdict(data.report),
            "held out": data.held_out,
            "recipes": data.digests,
            "vocabulary": [*map(sorted, data.vocabulary)],
        }
        return self._cache.keep(self._name(files), data.dataset.arrays(), facts)

    def _name(self, files: Sequence[FileDigest]) -> str:
        data, tokens = self._config.data, self._config.tokens
        groups = (data.validation_fraction, data.tips, data.refusals)
        settings = (data.columns, data.items, data.sheet, *groups, self._config.seed, tokens.max_length)
        return f"{self._pieces}-{fingerprint(files, settings, _program(*PROGRAM))}"


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
                "dropped": [DroppedRow(**row | {"reason": Reason(row["reason"])}) for row in file["dropped"]],
                "warnings": [Warned(**it | {"oddity": Oddity(it["oddity"])}) for it in file["warnings"]],
            }
        )
        for file in facts["files"]
    ]
    return DataReport(files, {name: Spread(**spread) for name, spread in facts["lengths"].items()})
