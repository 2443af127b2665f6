"""Scores of many answers -> tables for a terminal, JSON for everything else."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from koki.answers.comparison import IngredientMarks
from koki.errors import RunError
from koki.evaluation.asked import GROUPS, Asked, is_with_book
from koki.evaluation.capabilities import registry
from koki.evaluation.capabilities.any_answer import ANY
from koki.evaluation.capabilities.capability import Scores
from koki.evaluation.intervals import Mean, mean_difference, mean_of
from koki.evaluation.own_questions import OwnQuestion, Verdict
from koki.evaluation.requirements import Place, Reached, Requirement
from koki.files import write_json
from koki.inference.answer import Answer
from koki.inference.engines import is_gguf, run_of_gguf
from koki.language import N_, _, retold
from koki.runs.names import OWN_QUESTIONS, SCORECARD

_ALL: Final = "all"
# As many fit in a terminal of 80 columns; where there is a book, each group and the same with the book open.
_GROUPS_SIDE_BY_SIDE: Final = 3
_PAIR: Final = 2

PASSED: Final = "passed"
"""The measure of people's own questions."""

Figure = Callable[[str, str, str], Mean | None]
"""Group, capability, measure -> what stands in a table."""


class Caveat(StrEnum):
    """What a reader should know. The report finds its translations by how these begin."""

    OTHER_FILES = N_(
        "These are not the very files it was trained on: what counts as trained on and held out may differ."
    )
    NONE_HELD_OUT = N_(
        "No recipe was held out, so there is nothing to measure generalisation by: data.validation_fraction was "
        "{fraction} of {recipes} recipes."
    )
    MINI_KNOWS_ALL = N_(
        "The base mini has learned all recipes that ship, those held out too: what stands under generalisation says "
        "nothing about new recipes. Your own recipes, or another base, do."
    )


@dataclass(frozen=True, slots=True)
class Scored:
    """A question, its answer, the scores of the answer, and its ingredients marked where it should give some."""

    asked: Asked
    answer: Answer
    scores: Scores
    marks: IngredientMarks | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "id": self.asked.id,
            "group": self.asked.group,
            "capability": self.asked.capability,
            "recipe": self.asked.recipe.id if self.asked.recipe else None,
            "question": self.asked.question,
            "answer": self.answer.answer,
            "reference": self.asked.reference,
            "stopped": self.answer.stopped,
            "tokens": self.answer.tokens,
            "scores": {name: None if score is None else round(score, 4) for name, score in self.scores.items()},
            "ingredients": self.marks.as_dict() if self.marks else None,
            "read": [page.name for page in self.answer.reading.pages] if self.answer.reading else [],
            "check": self.answer.check.as_dict() if self.answer.check else None,
        }


@dataclass(frozen=True, slots=True)
class Scorecard:
    """How a chef did on what it was taught.

    Attributes:
        run: as the user named it.
        about: what was asked, for the record.
        other: how another chef did on the same questions.
        notes: caveats, with figures where they have some.
        requirements: what the means should be.
    """

    run: str
    about: dict[str, Any]
    seed: int
    scored: Sequence[Scored]
    other: "Scorecard | None" = None
    notes: Sequence[str] = ()
    requirements: Sequence[Requirement] = ()

    def mean(self, group: str, capability: str, measure: str) -> Mean | None:
        """The mean of one measure over the questions of a capability in a group."""
        return mean_of(self._scores(group, capability, measure), self.seed)

    def difference(self, group: str, capability: str, measure: str) -> Mean | None:
        """By how much the mean is above that of the other chef; None without another."""
        if self.other is None:
            return None
        mine, others = (scorecard._scores(group, capability, measure) for scorecard in (self, self.other))
        return mean_difference(mine, others, self.seed)

    def questions(self, group: str, capability: str) -> int:
        """How many questions of a capability were asked in a group."""
        return len(self._of(group, capability))

    def reached(self) -> list[Reached]:
        """What was reached of each requirement."""
        places = places_of(one.asked for one in self.scored) if self.requirements else ()
        means = {place: found for place in places if (found := self.mean(*place))}
        return [Reached.of(requirement, means) for requirement in self.requirements]

    def _scores(self, group: str, capability: str, measure: str) -> list[float | None]:
        return [one.scores.get(measure) for one in self._of(group, capability)]

    def _of(self, group: str, capability: str) -> list[Scored]:
        group_of = [one for one in self.scored if one.asked.group == group]
        return group_of if capability == ANY else [one for one in group_of if one.asked.capability == capability]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: for each group and capability the number of questions and every measure; then every answer."""
        content = {
            "run": self.run,
            **self.about,
            "notes": list(self.notes),
            "requirements": [reached.as_dict() for reached in self.reached()],
            "group_meanings": GROUPS,
            **self._figures(),
        }
        if self.other is not None:
            differences = self._groups(self.difference)
            content["compared_with"] = {"run": self.other.run, **self.other._figures(), "differences": differences}
        return content | {"answers": [one.as_dict() for one in self.scored]}

    def _figures(self) -> dict[str, Any]:
        return {"speed": self._speed(), "groups": self._groups(self.mean)}

    def _speed(self) -> dict[str, Any]:
        return speed_of([one.answer for one in self.scored])

    def _groups(self, figure: Figure) -> dict[str, Any]:
        return {
            group: {
                capability: {"questions": asked} | self._measures(group, capability, figure)
                for capability in registry.measures()
                if (asked := self.questions(group, capability))
            }
            for group in GROUPS
        }

    def _measures(self, group: str, capability: str, figure: Figure) -> dict[str, Any]:
        figures = {name: figure(group, capability, name) for name in registry.measures()[capability]}
        return {name: found.as_dict() for name, found in figures.items() if found}

    def render(self) -> RenderableType:
        """A table of means with 95 % intervals, a second one of differences, and what there is to say about them."""
        shown: list[RenderableType] = [
            _title(_("{run}: means and 95 % intervals", run=self.run)),
            *self._tables(self.mean, ".2f"),
        ]
        if self.other is not None:
            title = N_("{run} minus {other}, question by question, and 95 % intervals")
            shown += [_title(_(title, run=self.run, other=self.other.run)), *self._tables(self.difference, "+.2f")]
        speed = _(
            "{answers:,} answers, {tokens:,} tokens in {seconds:,.0f} s: {tokens_per_second:,.0f} tokens a second",
            **self._speed(),
        )
        meanings = (f"{group}: {_(meaning)}" for group, meaning in GROUPS.items() if self.questions(group, ANY))
        notes = (retold(note, *Caveat) for note in self.notes)
        return Group(*shown, *map(Text, (*meanings, speed, *notes)))

    def _tables(self, figure: Figure, form: str) -> Iterator[Table]:
        asked = [group for group in GROUPS if self.questions(group, ANY)]
        side_by_side = _PAIR if any(map(is_with_book, asked)) else _GROUPS_SIDE_BY_SIDE
        left = iter(asked)
        while groups := list(islice(left, side_by_side)):
            yield self._table(groups, figure, form)

    def _table(self, groups: Sequence[str], figure: Figure, form: str) -> Table:
        table = _empty_table("", *groups)
        for capability, measures in registry.measures().items():
            asked = [self.questions(group, capability) for group in groups]
            if not any(asked):
                continue
            counts = (_("{count} questions", count=count) if count else "-" for count in asked)
            table.add_row(capability, *counts, style="bold")
            for name, measure in measures.items():
                label = f"  {_(measure.label)}" + (_(" (low is good)") if measure.lower_is_better else "")
                figures = (figure(group, capability, name) for group in groups)
                cells = (_cell(found, form, count) for found, count in zip(figures, asked, strict=True))
                table.add_row(label, *cells)
        return table

    def save(self, run: str | Path) -> Path:
        """Write the scorecard, and return where that lies.

        That of a run is its ``report/scorecard.json``, that of a GGUF file in its folder ``gguf`` its
        ``report/scorecard-TYPE.json``; that of any other file lies beside the file.

        Args:
            run: what was evaluated.

        Raises:
            RunError: it cannot be written.
        """
        return _save(_place_of(Path(run), SCORECARD), self.as_dict())


@dataclass(frozen=True, slots=True)
class OwnScorecard:
    """How a chef did on people's own questions; the attributes are those of `Scorecard`."""

    run: str
    about: dict[str, Any]
    seed: int
    verdicts: Sequence[Verdict]
    other: "OwnScorecard | None" = None
    requirements: Sequence[Requirement] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: the share that passes, of all and of each capability, and each answer with its verdict."""
        requirements = [reached.as_dict() for reached in self.reached()]
        content = {"run": self.run, **self.about, "requirements": requirements, **self._figures()}
        if self.other is not None:
            differences = {name: found.as_dict() for name in self.capabilities() if (found := self.difference(name))}
            content["compared_with"] = {"run": self.other.run, **self.other._figures(), "differences": differences}
        return content | {"answers": [one.as_dict() for one in self.verdicts]}

    def _figures(self) -> dict[str, Any]:
        passed = {name: found.as_dict() for name in self.capabilities() if (found := self.passed(name))}
        return {"speed": speed_of([one.answer for one in self.verdicts]), PASSED: passed}

    def reached(self) -> list[Reached]:
        """What was reached of each requirement."""
        shares = {name: self.passed(name) for name in self.capabilities()}
        means: dict[Place, Mean] = {(name, PASSED): found for name, found in shares.items() if found}
        return [Reached.of(requirement, means) for requirement in self.requirements]

    def capabilities(self) -> list[str]:
        """As `capabilities_of`."""
        return capabilities_of(one.question for one in self.verdicts)

    def passed(self, capability: str) -> Mean | None:
        """The share of answers that pass."""
        return mean_of(self._passed(capability), self.seed)

    def difference(self, capability: str) -> Mean | None:
        """By how much that is more than the other chef's share; None without another."""
        if self.other is None:
            return None
        return mean_difference(self._passed(capability), self.other._passed(capability), self.seed)

    def _passed(self, capability: str) -> list[float]:
        return [float(one.passed) for one in self.verdicts if capability in (_ALL, one.question.capability)]

    def render(self) -> RenderableType:
        """A row for each capability, and why each failed answer failed."""
        compared = [_("minus {run}", run=self.other.run)] if self.other else []
        table = _empty_table("", _("questions"), _("passed"), *compared)
        for name in self.capabilities():
            asked = len(self._passed(name))
            last = [_cell(self.difference(name), "+.2f", asked)] if self.other else []
            table.add_row(escape(name), str(asked), _cell(self.passed(name), ".2f", asked), *last)
        failed = (Text(f"{one.question.id}: {_why(one)}") for one in self.verdicts if not one.passed)
        return Group(_title(_("{run}: answers that pass", run=self.run)), table, *failed)

    def save(self, run: str | Path) -> Path:
        """Write the scorecard as ``report/questions.json``, and return where that lies; of a file as `Scorecard.save`.

        Raises:
            RunError: it cannot be written.
        """
        return _save(_place_of(Path(run), OWN_QUESTIONS), self.as_dict())


def places_of(questions: Iterable[Asked]) -> list[Place]:
    """Group, capability and measure of all means that a scorecard of these questions may have."""
    asked = {(one.group, capability) for one in questions for capability in (one.capability, ANY)}
    return [place for place in places() if place[:2] in asked]


def places() -> list[Place]:
    """Group, capability and measure of all means that a scorecard may have."""
    return [
        (group, capability, measure)
        for group in GROUPS
        for capability, measures in registry.measures().items()
        for measure in measures
    ]


def capabilities_of(questions: Iterable[OwnQuestion]) -> list[str]:
    """`_ALL`, then each capability that people's own questions name, in their order."""
    return list(dict.fromkeys([_ALL, *(question.capability for question in questions)]))


def _why(failed: Verdict) -> str:
    reasons = (
        _("does not mention {words}", words=", ".join(failed.missing)) if failed.missing else "",
        _("speaks for {words}", words=", ".join(failed.wrong)) if failed.wrong else "",
        "" if failed.answer.stopped else _("did not end by itself"),
    )
    return "; ".join(filter(None, reasons))


def speed_of(answers: Sequence[Answer]) -> dict[str, Any]:
    """The number of answers and tokens, the seconds they took, and tokens a second."""
    tokens, seconds = sum(one.tokens for one in answers), sum(one.seconds for one in answers)
    rate = round(tokens / seconds, 1) if seconds else 0.0
    return {"answers": len(answers), "tokens": tokens, "seconds": round(seconds, 1), "tokens_per_second": rate}


def _title(text: str) -> Text:
    """A title of its own above a table, so that it may be wider than the table."""
    return Text(text, style="bold")


def _empty_table(*columns: str) -> Table:
    """A table so narrow that three groups fit in a terminal of 80 columns."""
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    for column in columns:
        table.add_column(escape(column), justify="right" if column else "left", no_wrap=not column)
    return table


def _cell(mean: Mean | None, form: str, asked: int) -> str:
    """Mean, interval, and the number of questions where only some of those asked have this score."""
    if mean is None:
        return "-"
    return mean.as_text(form) + ("" if mean.questions == asked else f" n={mean.questions}")


def run_of(evaluated: Path) -> Path | None:
    """The run folder that what was found belongs in; None for a GGUF file that lies elsewhere."""
    if not is_gguf(evaluated):
        return evaluated
    folder = run_of_gguf(evaluated).folder
    return folder if folder != evaluated.absolute().parent else None


def _place_of(evaluated: Path, name: str) -> Path:
    """Where what was found lies, by its name in a run folder; of a GGUF file, with the file's form in the name."""
    run = run_of(evaluated)
    if run == evaluated:
        return run / name
    form = evaluated.stem.removeprefix(f"{run_of_gguf(evaluated).folder.name}-")
    place = run / name if run else evaluated.with_name(Path(name).name)
    return place.with_stem(f"{place.stem}-{form}")


def _save(path: Path, content: dict[str, Any]) -> Path:
    try:
        path.parent.mkdir(exist_ok=True)
        write_json(path, content)
    except OSError as error:
        raise RunError(
            _("{path} cannot be written: {error}.", path=path, error=error),
            _("What was found is printed above; --json has all."),
        ) from error
    return path
