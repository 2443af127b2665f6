"""What people say of answers, kept in the run folder; and made into recipes and questions."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from koki import files
from koki.answers.said import read_answer
from koki.errors import RunError
from koki.evaluation.mentions import can_be_mentioned
from koki.ingredients.lexicon import is_staple
from koki.ingredients.parse import Ingredient, parse_ingredients
from koki.language import _
from koki.runs.names import FEEDBACK
from koki.serving.errors import ApiError

_MOST_BYTES: Final = 50_000_000  # of the file: more is not taken, until somebody has read it
_MOST_ITEMS: Final = 200  # ingredients or steps
_MOST_TERMS: Final = 8  # of what an answer should speak of
_CATEGORY: Final = "koki-feedback"
_COLUMNS: Final = ("id", "capability", "question", "must", "must_not")
_WRITING: Final = Lock()

_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
_Text = Annotated[str, StringConstraints(max_length=65_536)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Correction(_Entry):
    """The recipe as it should be."""

    title: _Line
    ingredients: Annotated[list[_Line], Field(min_length=1, max_length=_MOST_ITEMS)]
    steps: Annotated[list[_Line], Field(min_length=1, max_length=_MOST_ITEMS)]


class Feedback(_Entry):
    """What somebody says of an answer."""

    model: Annotated[str, StringConstraints(max_length=256)]
    question: _Text
    answer: _Text
    verdict: Literal["up", "down"]
    correction: Correction | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """What feedback was made into.

    Attributes:
        recipes: that were written.
        questions: that were written.
        without: entries that say what is wrong but not what would be right, of which nothing is made.
        damaged: lines that are no feedback, such as one that was being written when the machine stopped.
    """

    recipes: int
    questions: int
    without: int
    damaged: int


def keep(said: Feedback, folder: Path) -> None:
    """Add a line to the file in a run folder; it is on the disk when this returns.

    Raises:
        ApiError: the file is full, or cannot be written.
    """
    entry = {"time": datetime.now(UTC).isoformat(timespec="seconds"), **said.model_dump()}
    line = (json.dumps(entry, ensure_ascii=False) + "\n").encode("utf-8", "replace")
    path = folder / FEEDBACK
    try:
        with _WRITING, path.open("ab+") as file:
            size = file.seek(0, os.SEEK_END)
            if size + len(line) > _MOST_BYTES:
                raise ApiError(507, "There is no room for more feedback.", code="feedback_full")
            if size and not _ends_a_line(path):  # the machine stopped in the middle of one
                line = b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ApiError(507, "The feedback could not be kept.", code="feedback_not_kept") from error


def export(folder: Path, recipes: Path, questions: Path) -> Export:
    """Make recipes for `koki book add`, and questions for `koki evaluate --questions`, of the feedback of a run.

    Raises:
        RunError: there is none.
        ConfigError: something else is where the files shall be.
        OSError: a file cannot be read or written.
    """
    entries, damaged = _read(folder / FEEDBACK)
    files.require_ours(recipes, _CATEGORY)
    files.require_ours(questions, "\t".join(_COLUMNS))
    corrections = [entry.correction for entry in entries if entry.correction]
    rows = [row for number, entry in enumerate(entries, 1) if (row := _question(number, entry))]
    made = [
        {**it.model_dump(), "category": _CATEGORY} for it in {it.model_dump_json(): it for it in corrections}.values()
    ]
    files.write_text(recipes, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made))
    files.write_text(questions, "".join("\t".join(row) + "\n" for row in (_COLUMNS, *rows)))
    without = sum(entry.verdict == "down" and entry.correction is None for entry in entries)
    return Export(len(made), len(rows), without, damaged)


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _read(path: Path) -> tuple[list[Feedback], int]:
    if not path.is_file():
        raise RunError(
            _("There is no feedback in {folder}.", folder=path.parent), _("`koki serve RUN --feedback` keeps it.")
        )
    found = list(map(_entry, files.read_bytes(path, _MOST_BYTES).splitlines()))
    return [entry for entry in found if entry], sum(entry is None for entry in found)


def _entry(line: bytes) -> Feedback | None:
    try:
        content: dict[str, Any] = json.loads(line)
        return Feedback.model_validate({name: content.get(name) for name in Feedback.model_fields})
    except (ValueError, ValidationError, AttributeError, RecursionError):
        return None


def _question(number: int, entry: Feedback) -> tuple[str, ...] | None:
    """A line of a file of questions: what was corrected, or was right, is what an answer should speak of."""
    if entry.correction:
        capability, terms = (
            "corrected",
            [entry.correction.title, *_names(parse_ingredients(entry.correction.ingredients))],
        )
    else:
        capability, terms = "liked", list(_names(read_answer(entry.answer).ingredients))
    must = [term for term in dict.fromkeys(terms) if can_be_mentioned(term)][:_MOST_TERMS]
    asked = " ".join(entry.question.split())
    if not must or not asked or (entry.verdict == "down" and not entry.correction):
        return None
    return f"feedback-{number}", capability, asked, ";".join(must), ""


def _names(items: Sequence[Ingredient]) -> Iterator[str]:
    return (item.name for item in items if item.name and not item.heading and not is_staple(item.name))
