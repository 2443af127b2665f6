"""Run card and scorecard -> what stands on the page, part by part; no words of the page, no HTML."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from statistics import median
from typing import Any, Final

from koki.config import RunConfig, flatten
from koki.evaluation.asked import GROUPS, is_with_book
from koki.evaluation.capabilities import registry
from koki.evaluation.capabilities.capability import Measure
from koki.report.charts import Chart, chart
from koki.report.verdict import Verdict

_PAIRS: Final = 20
"""How many questions and answers the page shows."""

_CURVES: Final = ("loss", "eval_loss", "learning_rate", "tokens_per_second")

# Settings that say where a run lies and what it reads, not what it does.
_PLACES: Final = frozenset({"output", "data.files", "data.columns", "data.items", "data.sheet"})
# What may stand before an ingredient in its line: a bullet, a number, or the heading of the list.
_BEFORE_ITEM: Final = re.compile(r"[\W_]*(?:\d{1,2}[.)]\s*)?|[^:]*:\s*")
_BULLET: Final = re.compile(r"^\s*[-*•–]\s+")  # the mark takes its place


# ------------------------------------------------------------------------------------------------------------ training


def curves(log: Sequence[Mapping[str, Any]]) -> dict[str, Chart]:
    """The charts that can be drawn from a log, by the name of what is logged."""
    drawn = {}
    for name in _CURVES:
        entries = [entry for entry in log if name in entry]
        if found := chart([entry["step"] for entry in entries], [entry[name] for entry in entries]):
            drawn[name] = found
    return drawn


def speed(log: Sequence[Mapping[str, Any]]) -> float | None:
    """The median of the logged tokens a second; None for a log without them, as older versions kept."""
    logged = [entry["tokens_per_second"] for entry in log if "tokens_per_second" in entry]
    return median(logged) if logged else None


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that is not the reference, which is the default."""

    name: str
    here: Any
    reference: Any


def other_settings(settings: Mapping[str, Any]) -> list[Setting]:
    """The settings that differ from the defaults, which are the reference."""
    reference = {name: value for name, value in flatten(RunConfig()).items() if name not in _PLACES}
    return [
        Setting(name, settings[name], default)
        for name, default in reference.items()
        if name in settings and settings[name] != default
    ]


# ----------------------------------------------------------------------------------------------------------- scorecard


@dataclass(frozen=True, slots=True)
class Bar:
    """A mean with its interval, and that of the other chef with the difference where two were compared."""

    mean: float
    low: float
    high: float
    questions: int
    other: float | None
    difference: Mapping[str, float] | None


@dataclass(frozen=True, slots=True)
class Row:
    """A measure under its name, with a bar for each group; None where it was not taken."""

    name: str
    measure: Measure
    bars: tuple[Bar | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The measures of a capability in some groups; ``questions`` are those of each."""

    capability: str
    groups: tuple[str, ...]
    questions: tuple[int, ...]
    rows: tuple[Row, ...]


def groups_of(scorecard: Mapping[str, Any]) -> list[str]:
    """The groups in which something was asked."""
    return [group for group in GROUPS if scorecard["groups"].get(group)]


def tables(scorecard: Mapping[str, Any]) -> list[Table]:
    """A table for each capability that was asked about; one for its answers from memory, one with the book open."""
    return [
        table
        for capability in registry.measures()
        for with_book in (False, True)
        if (table := _table(scorecard, capability, with_book=with_book))
    ]


def _table(scorecard: Mapping[str, Any], capability: str, *, with_book: bool) -> Table | None:
    groups = tuple(group for group in groups_of(scorecard) if is_with_book(group) is with_book)
    questions = tuple(scorecard["groups"][group].get(capability, {}).get("questions", 0) for group in groups)
    return Table(capability, groups, questions, tuple(_rows(scorecard, groups, capability))) if any(questions) else None


def measures(scorecard: Mapping[str, Any]) -> dict[str, Measure]:
    """Every measure that stands in a table, by its name, in the order of the tables."""
    return {row.name: row.measure for table in tables(scorecard) for row in table.rows}


def _rows(scorecard: Mapping[str, Any], groups: Sequence[str], capability: str) -> Iterator[Row]:
    for name, measure in registry.measures()[capability].items():
        bars = tuple(_bar(scorecard, group, capability, name) for group in groups)
        if any(bars):
            yield Row(name, measure, bars)


def _bar(scorecard: Mapping[str, Any], group: str, capability: str, measure: str) -> Bar | None:
    compared = scorecard.get("compared_with", {})
    found, other, difference = (
        figures.get(group, {}).get(capability, {}).get(measure)
        for figures in (scorecard["groups"], compared.get("groups", {}), compared.get("differences", {}))
    )
    if not found:
        return None
    interval = (found["mean"], found["low"], found["high"], found["questions"])
    return Bar(*interval, other["mean"] if other else None, difference)


# ------------------------------------------------------------------------------------------------------------- answers


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an answer; its mark is one of `koki.answers.comparison.MARKS`, or an empty text."""

    text: str
    mark: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and its answer.

    Attributes:
        missing: the ingredients that it should have named.
        missed: the measures that it falls short of; an answer that is right as a whole has none.
    """

    group: str
    capability: str
    question: str
    lines: tuple[Line, ...]
    missing: tuple[str, ...]
    reference: str
    stopped: bool
    missed: tuple[str, ...]

    def count(self, mark: str) -> int:
        """How many lines have a mark."""
        return sum(line.mark == mark for line in self.lines)


def pairs(scorecard: Mapping[str, Any]) -> list[Pair]:
    """Up to `_PAIRS` answers: the first of each capability in one group, in the next, ..., then the second ones."""
    dealt: dict[str, dict[str, list[Mapping[str, Any]]]] = {name: {} for name in registry.measures()}
    for answer in scorecard["answers"]:
        dealt[answer["capability"]].setdefault(answer["group"], []).append(answer)
    kinds = filter(None, chain.from_iterable(zip_longest(*(groups.values() for groups in dealt.values()))))
    in_turn = filter(None, chain.from_iterable(zip_longest(*kinds)))
    return [_pair(answer) for answer, _ in zip(in_turn, range(_PAIRS), strict=False)]


def examples(verdict: Verdict) -> list[Pair]:
    """The answers that show the verdict."""
    return [_pair(answer) for answer in verdict.examples]


def _pair(answer: Mapping[str, Any]) -> Pair:
    marks = answer.get("ingredients") or {"lines": [], "missing": []}
    return Pair(
        group=answer["group"],
        capability=answer["capability"],
        question=answer["question"],
        lines=tuple(_marked(answer["answer"], [(marked["line"], marked["mark"]) for marked in marks["lines"]])),
        missing=tuple(marks["missing"]),
        reference=answer["reference"],
        stopped=answer["stopped"],
        missed=tuple(registry.missed(answer["capability"], answer["scores"])),
    )


def _marked(text: str, marks: Sequence[tuple[str, str]]) -> Iterator[Line]:
    """The lines of an answer with their marks, which are given in the order of the lines."""
    waiting = list(marks)
    for line in text.strip().splitlines():
        item = line.replace("**", "").strip()
        is_next = bool(waiting) and item.endswith(waiting[0][0])
        if is_next and _BEFORE_ITEM.fullmatch(item.removesuffix(waiting[0][0])):
            yield Line(_BULLET.sub("", line), waiting.pop(0)[1])
        else:
            yield Line(line, "")
