"""What of a run folder is published, and as what: no file that names a folder of this machine, no recipes unasked.

Which is by a list of what there is in a run folder; what is not on it stays here.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from koki import files
from koki.book.store import Book
from koki.errors import RunError
from koki.files import file_name
from koki.hub import is_commit
from koki.language import N_, _
from koki.model.names import SETTINGS, WEIGHTS
from koki.runs.finished import FinishedRun
from koki.runs.model_card import published_card
from koki.runs.names import (
    BOOK,
    CONFIG,
    CURVES,
    FEEDBACK,
    GENERATION_CONFIG,
    GGUF,
    METADATA,
    MODEL_CARD,
    OWN_QUESTIONS,
    RECIPES,
    REPORT,
    SCORECARD,
    SCORECARDS_OF_FILES,
    TENSORBOARD,
)
from koki.tokens.file_tokenizer import FILES_OF_A_TOKENIZER

_PUBLISHED: Final = (MODEL_CARD, METADATA, SETTINGS, WEIGHTS, *FILES_OF_A_TOKENIZER, GENERATION_CONFIG, CURVES)
_WITH_RECIPES: Final = (BOOK, REPORT, SCORECARD)
PUBLISHABLE: Final = (*_PUBLISHED, *_WITH_RECIPES)
"""All that is ever published, in the order in which it is listed."""

_HAS_RECIPES: Final = N_("has recipes in it: --with-book")
_STAYS_HERE: Final = {
    "checkpoint-*": N_("only for going on with training here"),
    RECIPES: N_("only for going on with training here"),
    CONFIG: N_("names folders of this machine"),
    TENSORBOARD: N_("names this machine"),
    GGUF: N_("is made anew where it is needed"),
    FEEDBACK: N_("has what people asked and said"),
    OWN_QUESTIONS: N_("has your own questions in it"),
    SCORECARDS_OF_FILES: N_("is of a GGUF file, which stays here too"),
    ".*": N_("is a note of the system"),
}
"""Pattern of names -> why such a file or folder is not published."""
_OTHERS: Final = N_("is none of the files that Koki makes")
_LONGEST: Final = 10_000_000  # bytes, of a model card and of an adapter's settings


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is published of a run.

    Attributes:
        files: name -> the file with what is published under it.
        left_out: name of a file or folder, which ends with ``/`` -> why it is not published.
    """

    files: dict[str, Path]
    left_out: dict[str, str]

    def size_of(self, name: str) -> int:
        """Bytes of a file."""
        return self.files[name].stat().st_size

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(map(self.size_of, self.files))


@contextmanager
def parcel_of(run: FinishedRun, repository: str, *, with_book: bool) -> Iterator[Parcel]:
    """What is published of a run under a name on the hub; it is there while entered.

    Args:
        with_book: the recipes too: the book, and the report and the scorecard, which show answers.

    Raises:
        RunError: its base is a folder of this machine, a file cannot be read, or there is no book to publish.
        BookError: the book cannot be read.
    """
    _require_base_for_others(run)
    if with_book and not (run.folder / BOOK).is_file():
        raise RunError(
            _("{folder} has no {book}.", folder=run.folder, book=BOOK),
            _("Leave --with-book out, or make one: koki book add RUN FILE ..."),
        )
    wanted = PUBLISHABLE if with_book else _PUBLISHED
    there = {name: run.folder / name for name in wanted if (run.folder / name).is_file()}
    with TemporaryDirectory(prefix="koki-") as folder:
        for name in (MODEL_CARD, METADATA, SETTINGS, BOOK):
            if name in there:
                there[name] = _made_fit(run, name, Path(folder) / name, repository, with_book=with_book)
        yield Parcel(there, dict(_left_out(run.folder, there)))


def _require_base_for_others(run: FinishedRun) -> None:
    """Check that whoever has the run can have its base: that is on the hub, or ships with Koki.

    Raises:
        RunError: it is a folder of this machine.
    """
    base = run.card["base_model"]
    if base["name"] != "mini" and not is_commit(base["revision"]):
        raise RunError(
            _(
                "{folder} was trained on the base {base}, a folder of this machine: nobody else could ask it.",
                folder=run.folder,
                base=file_name(base["name"]),
            ),
            _(
                "Train it on a base that is on the hub; or publish whole weights: koki export merged RUN --output DIR, "
                "then hf upload NAME DIR."
            ),
        )


def _made_fit(run: FinishedRun, name: str, target: Path, repository: str, *, with_book: bool) -> Path:
    """A file as it is published: without what names a folder of this machine or is not published with it.

    Raises:
        RunError: it cannot be read.
        BookError: it is no book.
    """
    source = run.folder / name
    try:
        if name == BOOK:  # what was added last may lie in a log beside it
            with Book.open(source) as book:
                book.copy(target)
        elif name == METADATA:
            files.write_json(target, run.card | {"book": run.card.get("book") if with_book else None})
        elif name == MODEL_CARD:
            text = files.read_bytes(source, _LONGEST).decode("utf-8")
            files.write_text(target, published_card(text, repository, with_book=with_book))
        else:
            settings = json.loads(files.read_bytes(source, _LONGEST))
            files.write_json(target, settings | {"base_model_name_or_path": run.card["base_model"]["location"]})
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise RunError(_("{file} cannot be read: {error}.", file=source, error=error)) from error
    return target


def _left_out(folder: Path, published: dict[str, Path]) -> Iterator[tuple[str, str]]:
    """The names of what stays here, of the folder and of the folders of what is published, each with its reason."""
    looked_into = {parent for name in PUBLISHABLE for parent in Path(name).parents} - {Path()}
    for path in sorted((*folder.iterdir(), *(it for inner in looked_into for it in (folder / inner).glob("*")))):
        name = path.relative_to(folder)
        if name.as_posix() not in published and name not in looked_into:
            yield name.as_posix() + ("/" if path.is_dir() else ""), _why(name.as_posix())


def _why(name: str) -> str:
    if name in _WITH_RECIPES:
        return _HAS_RECIPES
    return next((why for pattern, why in _STAYS_HERE.items() if fnmatch(name, pattern)), _OTHERS)
