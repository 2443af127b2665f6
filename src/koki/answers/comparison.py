"""What an answer gives against what stands in the recipe: ingredients and steps.

Steps are compared by ROUGE-L (Lin 2004): twice the longest common subsequence of words, over the words of both. That is
rapidfuzz's normalised indel similarity over words, so no further library is needed; those made for ROUGE bring
English stemming, and chrF's bring a parser of XML.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, Literal, NamedTuple, get_args

from rapidfuzz.distance import Indel

from koki.answers.said import WORDS
from koki.book.pantry import thing
from koki.ingredients.amounts import Quantity
from koki.ingredients.lexicon import fold
from koki.ingredients.parse import Ingredient

Mark = Literal["right", "amount", "near", "invented"]
MARKS: Final[tuple[Mark, ...]] = get_args(Mark)
"""From the best to the worst: as in the recipe; another amount; another kind of it; nothing like it in the recipe."""

_SAME_STEP: Final = 0.5
"""Two steps count as the same from this ROUGE-L on; fewer than 1 of 100 pairs of different real steps reach it."""

_WORD: Final = re.compile(r"\w+")
_SMALLER: Final = {unit: (one["is"], one["times"]) for unit, one in WORDS["smaller_units"].items()}


def words_of(text: str) -> list[str]:
    """The words and numbers of a text, in lower case."""
    return _WORD.findall(text.lower())


def share(hits: Iterable[bool]) -> float | None:
    """The share that is true; None of nothing."""
    counted = list(hits)
    return sum(counted) / len(counted) if counted else None


# ---------------------------------------------------------------------------------------------------------- ingredients


class _Entry(NamedTuple):
    """An ingredient that a line names.

    Attributes:
        names: its own and those of its alternatives, folded.
        amount: number and unit; None where another ingredient of the line has them.
        line: the number of the line.
    """

    name: str
    names: frozenset[str]
    amount: tuple[Quantity | None, str | None] | None
    raw: str
    line: int

    def has_name_of(self, other: "_Entry") -> bool:
        return not self.names.isdisjoint(other.names)

    def is_same(self, other: "_Entry") -> bool:
        return self.has_name_of(other) and (self.amount == other.amount or None in (self.amount, other.amount))

    def is_related_to(self, other: "_Entry") -> bool:
        return _are_related(self.names, other.names)


def _entries(ingredients: Iterable[Ingredient]) -> Iterator[_Entry]:
    for line, item in enumerate(ingredients):
        if item.name:
            names = frozenset(map(fold, (item.name, *item.alternatives)))
            yield _Entry(item.name, names, comparable(item.quantity, item.unit), item.raw, line)
            yield from (_Entry(name, frozenset({fold(name)}), None, item.raw, line) for name in item.others)


@dataclass(frozen=True, slots=True)
class IngredientScores:
    """How an ingredient list compares with the true one.

    Attributes:
        precision: the share of the ingredients said that are in the recipe, under any spelling.
        recall: the share of the recipe's ingredients that are said.
        quantities: the share of the recipe's amounts that are said: same ingredient, number and unit
            (½ kg is 500 gram).
        invented: the share of the ingredients said of which the recipe has no kind at all ("cabai" is not invented
            where it has "cabai rawit"); None for an empty list.
    """

    precision: float
    recall: float
    quantities: float
    invented: float | None

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def compare_ingredients(said: Sequence[Ingredient], true: Sequence[Ingredient]) -> IngredientScores:
    """Compare two parsed ingredient lists; each ingredient counts once, however many lines name it."""
    named, asked = ({entry.names for entry in _entries(items)} for items in (said, true))
    all_named, all_asked = (frozenset[str]().union(*names) for names in (named, asked))
    amounts = _amounts(true)
    return IngredientScores(
        precision=share(bool(entry & all_asked) for entry in named) or 0.0,
        recall=share(bool(entry & all_named) for entry in asked) or 0.0,
        quantities=(amounts & _amounts(said)).total() / amounts.total() if amounts else 1.0,
        invented=share(not _are_related(all_asked, entry) for entry in named),
    )


class MarkedLine(NamedTuple):
    """A line that was said, its mark, and where it is another amount or kind, the recipe's own line."""

    line: str
    mark: Mark
    book: str = ""


@dataclass(frozen=True, slots=True)
class IngredientMarks:
    """What `compare_ingredients` counts, line by line, amounts included.

    Attributes:
        lines: each line said, headings aside; one that names several ingredients has the worst of their marks.
        missing: the names of the recipe that are not said; what two of its lines name should be said twice.
    """

    lines: tuple[MarkedLine, ...]
    missing: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """Whether it is the recipe's list, the whole of it and nothing else."""
        return not self.missing and all(line.mark == "right" for line in self.lines)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"lines": [line._asdict() for line in self.lines], "missing": list(self.missing)}


def mark_ingredients(said: Sequence[Ingredient], true: Sequence[Ingredient]) -> IngredientMarks:
    """Compare two parsed ingredient lists for a reader."""
    named, asked = list(_entries(said)), list(_entries(true))
    left = list(asked)
    marks: dict[int, MarkedLine] = {}
    # right ones first: of two amounts of garam each is held against its own
    for is_alike in (_Entry.is_same, _Entry.has_name_of):
        for place, entry in enumerate(named):
            if place not in marks and (found := next((other for other in left if is_alike(entry, other)), None)):
                left.remove(found)
                marks[place] = _marked(entry, "right" if entry.is_same(found) else "amount", found)
    by_line: dict[int, list[MarkedLine]] = {}
    for place, entry in enumerate(named):
        by_line.setdefault(entry.line, []).append(marks.get(place) or _mark_unmatched(entry, asked))
    lines = (max(of_line, key=lambda it: MARKS.index(it.mark)) for of_line in by_line.values())
    return IngredientMarks(tuple(lines), tuple(dict.fromkeys(entry.name for entry in left)))


def _mark_unmatched(entry: _Entry, asked: Sequence[_Entry]) -> MarkedLine:
    """The mark of what the recipe does not have, or not so often."""
    if found := next(filter(entry.has_name_of, asked), None):
        return _marked(entry, "amount", found)
    if found := next(filter(entry.is_related_to, asked), None):
        return _marked(entry, "near", found)
    return MarkedLine(entry.raw, "invented")


def _marked(entry: _Entry, mark: Mark, true: _Entry) -> MarkedLine:
    return MarkedLine(entry.raw, mark, "" if mark == "right" else true.raw)


def _amounts(ingredients: Iterable[Ingredient]) -> Counter[tuple[str, Quantity | None, str | None]]:
    return Counter(
        (fold(item.name), *comparable(item.quantity, item.unit))
        for item in ingredients
        if item.name and (item.quantity is not None or item.unit)
    )


def comparable(quantity: Quantity | None, unit: str | None) -> tuple[Quantity | None, str | None]:
    """An amount in one unit for the weights and one for the volumes that people convert: half a kg is 500 gram."""
    if quantity is None:
        return None, unit
    smaller, times = _SMALLER.get(unit or "", (unit, 1))
    return (quantity[0] * times, quantity[1] * times) if isinstance(quantity, tuple) else quantity * times, smaller


def _are_related(names: Iterable[str], others: Iterable[str]) -> bool:
    """Whether one of the names stands for a kind of what one of the others stands for, or the other way round."""
    have, wanted = [thing(name) for name in names], [thing(name) for name in others]
    return any(one and other and one.is_related_to(other) for one in have for other in wanted)


# ---------------------------------------------------------------------------------------------------------------- steps


@dataclass(frozen=True, slots=True)
class StepMarks:
    """Steps that are given, against those of a recipe; capitals and punctuation aside.

    Attributes:
        changed: those said that the recipe does not have in these words.
        missing: those of the recipe that are not said in its words.
        in_order: whether those that both have come in the recipe's order.
    """

    changed: tuple[str, ...]
    missing: tuple[str, ...]
    in_order: bool

    @property
    def is_right(self) -> bool:
        """Whether they are the recipe's steps, all of them and nothing else."""
        return self.in_order and not self.changed and not self.missing

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"changed": list(self.changed), "missing": list(self.missing), "in_order": self.in_order}


def mark_steps(said: Sequence[str], true: Sequence[str]) -> StepMarks:
    """Compare the steps that are said with the true ones, for a reader."""
    named, asked = ([tuple(words_of(step)) for step in steps] for steps in (said, true))
    left = Counter(asked)
    changed = []
    for step, words in zip(said, named, strict=True):
        if left[words]:
            left[words] -= 1
        else:
            changed.append(step)
    missing = [step for step, words in zip(true, asked, strict=True) if words not in named]
    in_both = [words for words in asked if words in named]
    return StepMarks(tuple(changed), tuple(missing), [words for words in named if words in asked] == in_both)


def rouge_l(said: str, true: str) -> float:
    """ROUGE-L F1 over words."""
    return float(Indel.normalized_similarity(words_of(said), words_of(true)))


def steps_order(said: Sequence[str], true: Sequence[str]) -> float:
    """Kendall's tau over the steps found again: 1 for the true order, -1 for its reverse, 0 where fewer than two are.

    A recipe of one step is in order when that step is there.
    """
    places = [place for _, place in sorted(_matched(said, true))]
    if len(true) == 1:
        return float(len(places))
    pairs = list(combinations(places, 2))
    return sum(1 if first < second else -1 for first, second in pairs) / len(pairs) if pairs else 0.0


def _matched(said: Sequence[str], true: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of the places, said and true, of the steps that both have; the most alike are matched first."""
    alike = [
        (similarity, -i, -j)
        for i, one in enumerate(said)
        for j, other in enumerate(true)
        if (similarity := rouge_l(one, other)) >= _SAME_STEP
    ]
    pairs: dict[int, int] = {}
    for _, i, j in sorted(alike, reverse=True):
        if -i not in pairs and -j not in pairs.values():
            pairs[-i] = -j
    return list(pairs.items())
