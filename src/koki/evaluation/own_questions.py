"""People's own questions, from a file of tab-separated values, and whether their answers pass.

Columns: ``id``, ``capability``, ``question``, ``dish``, ``ingredients``, ``must``, ``must_not``; the last two hold
words or phrases between semicolons. Dish and ingredients are for the reader of the file and need not be there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from koki import files
from koki.errors import DataError
from koki.evaluation.mentions import can_be_mentioned, mentions, speaks_for
from koki.inference.answer import Answer
from koki.language import _
from koki.recipes.decoding import decode, lines_of, records

_NEEDED: Final = ("id", "capability", "question", "must", "must_not")
_ENOUGH: Final = 0.5
_MOST_BYTES: Final = 10_000_000  # at some 200 bytes a question, more than anyone waits to have answered


@dataclass(frozen=True, slots=True)
class OwnQuestion:
    """A line of the file.

    Attributes:
        id: what a failed answer is named by; the number of its line where the file has none.
        capability: any name; answers are counted by it.
        must: what an answer should speak of.
        must_not: what it should not speak of, other than to leave it out.
    """

    id: str
    capability: str
    question: str
    must: tuple[str, ...]
    must_not: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an answer passes, and what speaks against it.

    Attributes:
        missing: of ``must``, what it does not mention.
        wrong: of ``must_not``, what it speaks for.
    """

    question: OwnQuestion
    answer: Answer
    missing: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether it mentions at least half of ``must``, speaks for nothing of ``must_not``, and ended by itself."""
        must = self.question.must
        return len(must) - len(self.missing) >= _ENOUGH * len(must) and not self.wrong and self.answer.stopped

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "id": self.question.id,
            "capability": self.question.capability,
            "question": self.question.question,
            "answer": self.answer.answer,
            "passed": self.passed,
            "missing": list(self.missing),
            "wrong": list(self.wrong),
            "stopped": self.answer.stopped,
            "tokens": self.answer.tokens,
        }


def read_questions(file: Path) -> list[OwnQuestion]:
    """The questions of a file, in order.

    Raises:
        DataError: the file cannot be read, lacks a column or has one twice, holds no question, or holds a line that
            cannot be asked or judged.
    """
    try:
        text = decode(files.read_bytes(file, _MOST_BYTES))[0]
    except FileNotFoundError:
        raise DataError(
            _("File {file} is not there.", file=file),
            _("A file of questions has the columns {columns}.", columns=", ".join(_NEEDED)),
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        raise DataError(
            _("File {file} cannot be read: {error}.", file=file, error=error),
            _("It should be UTF-8 text, its columns apart by tabs."),
        ) from error
    # the file may be as spreadsheets write it: with quotation marks, with any ends of lines, in UTF-16
    rows = [(row.line, [*map(str.strip, row.fields)]) for row in records(lines_of([text], str(file)), "\t", str(file))]
    header = [name.lower() for name in rows[0][1]] if rows else []
    if missing := [name for name in _NEEDED if name not in header]:
        raise DataError(
            _(
                "File {file} has no column {missing}; its first line has {header}.",
                file=file,
                missing=", ".join(missing),
                header=", ".join(header) or _("nothing"),
            ),
            _("Columns, apart by tabs: {columns}.", columns=", ".join(_NEEDED)),
        )
    if twice := [name for name in _NEEDED if header.count(name) > 1]:
        raise DataError(
            _("File {file} has the column {twice} twice.", file=file, twice=", ".join(twice)),
            _("Rename or delete one of them."),
        )
    named = ((line, dict(zip_longest(header, fields[: len(header)], fillvalue=""))) for line, fields in rows[1:])
    questions = [_question(f"{file}, line {line}", line, fields) for line, fields in named if any(fields.values())]
    if not questions:
        raise DataError(
            _("File {file} holds no question.", file=file),
            _("A question a line, under the first one, which names the columns."),
        )
    return questions


def _question(place: str, line: int, fields: Mapping[str, str]) -> OwnQuestion:
    if not fields["question"]:
        raise DataError(
            _("{place}: the column question is empty.", place=place), _("Write a question, or delete the line.")
        )
    return OwnQuestion(
        id=fields["id"] or f"line {line}",
        capability=fields["capability"],
        question=fields["question"],
        must=_terms(place, "must", fields),
        must_not=_terms(place, "must_not", fields),
    )


def _terms(place: str, column: str, fields: Mapping[str, str]) -> tuple[str, ...]:
    terms = tuple(term for part in fields[column].split(";") if (term := part.strip()))
    for term in terms:
        if not can_be_mentioned(term):
            raise DataError(
                _(
                    "{place}: no answer can mention {term!r}, which is in the column {column}.",
                    place=place,
                    term=term,
                    column=column,
                ),
                _("Words or phrases stand between semicolons, and have no comma or full stop in them."),
            )
    return terms


def verdict(question: OwnQuestion, answer: Answer) -> Verdict:
    """Judge one answer; spelling is folded, so "cabe rawit" is as good as "cabai rawit"."""
    return Verdict(
        question=question,
        answer=answer,
        missing=tuple(term for term in question.must if not mentions(answer.answer, term)),
        wrong=tuple(term for term in question.must_not if speaks_for(answer.answer, term)),
    )
