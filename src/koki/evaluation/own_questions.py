"""People's own questions, from a file of tab-separated values, and whether their answers pass.

Columns: ``id``, ``capability``, ``question``, ``dish``, ``ingredients``, ``must``, ``must_not``; the last two hold
words or phrases between semicolons. Dish and ingredients are for whoever reads the file; the others are used.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from koki import files
from koki.errors import DataError
from koki.evaluation.metrics import mentions, speaks_for
from koki.inference.engine import Answer

_NEEDED: Final = ("id", "capability", "question", "must", "must_not")
_ENOUGH: Final = 0.5
_MOST_BYTES: Final = 10_000_000  # at some 200 bytes a question, more than anyone waits to have answered


@dataclass(frozen=True, slots=True)
class OwnQuestion:
    """A line of the file.

    Attributes:
        must: what an answer should speak of.
        must_not: what it should not, other than to leave it out.
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
        """At least half of ``must``, nothing of ``must_not``, and the answer ended by itself."""
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
        DataError: the file cannot be read, lacks a column, or holds no question.
    """
    try:
        text = files.read_bytes(file, _MOST_BYTES).decode("utf-8-sig")
    except FileNotFoundError:
        raise DataError(
            f"File {file} is not there.", f"A file of questions has the columns {', '.join(_NEEDED)}."
        ) from None
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a path with a NUL character
        raise DataError(
            f"File {file} cannot be read: {error}.", "It should be UTF-8 text, its columns apart by tabs."
        ) from error
    header, *lines = [line.split("\t") for line in text.splitlines() if line] or [[]]
    if missing := [name for name in _NEEDED if name not in header]:
        raise DataError(
            f"File {file} has no column {', '.join(missing)}; its first line is {text[:80].splitlines()[:1]}.",
            f"Columns, apart by tabs: {', '.join(_NEEDED)}.",
        )
    places = [header.index(name) for name in _NEEDED]
    rows = ([fields[place].strip() if place < len(fields) else "" for place in places] for fields in lines)
    questions = [_question(*row) for row in rows if row[_NEEDED.index("question")]]
    if not questions:
        raise DataError(f"File {file} holds no question.", "The column question is empty in every line.")
    return questions


def _question(name: str, capability: str, question: str, must: str, must_not: str) -> OwnQuestion:
    return OwnQuestion(name, capability, question, _terms(must), _terms(must_not))


def _terms(text: str) -> tuple[str, ...]:
    return tuple(term for part in text.split(";") if (term := part.strip()))


def verdict(question: OwnQuestion, answer: Answer) -> Verdict:
    """Judge one answer; spelling is folded, so "cabe rawit" is as good as "cabai rawit"."""
    return Verdict(
        question=question,
        answer=answer,
        missing=tuple(term for term in question.must if not mentions(answer.answer, term)),
        wrong=tuple(term for term in question.must_not if speaks_for(answer.answer, term)),
    )
