"""What is said against what is true, as numbers: pure functions, most of them from 0 (nothing is right) to 1.

Steps are compared by ROUGE-L (Lin 2004): twice the longest common subsequence of words, over the words of both. That is
rapidfuzz's normalised indel similarity over words, so no further library is needed; those made for ROUGE bring
English stemming, and chrF's bring a parser of XML.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from rapidfuzz.distance import Indel

from koki.book.pantry import thing
from koki.evaluation.reading import WORDS
from koki.ingredients.amounts import Quantity
from koki.ingredients.lexicon import fold
from koki.ingredients.parse import Ingredient

_SAME_STEP: Final = 0.5
"""Two steps count as the same from this ROUGE-L on; fewer than 1 of 100 pairs of different real steps reach it."""

_WORD: Final = re.compile(r"\w+")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_CONTROL: Final = re.compile(r"<\|\w+\|>|</?think>")
# A loop repeats up to this many words, at least this often, and has at least this many in all: "hop hop hop" is none.
_LONGEST_ROUND: Final = 40
_ROUNDS: Final = 3
_SHORTEST_LOOP: Final = 6
# A line of at least this many words that stands this often in an answer is a loop: real recipes repeat themselves less.
_LINE_WORDS: Final = 4
_LINE_TIMES: Final = 4
# So are this many words in a row that come a second time: of 1,936 real recipes, three have that.
_ECHO: Final = 30
_SMALLER: Final = {unit: (one["is"], one["times"]) for unit, one in WORDS["smaller_units"].items()}
_PARTICLES: Final = ("nya", "lah", "kah")
_ENDINGS: Final = (*_PARTICLES, "kan", "an", "i")


def words_of(text: str) -> list[str]:
    """The words and numbers of a text, in lower case."""
    return _WORD.findall(text.lower())


# ---------------------------------------------------------------------------------------------------------- ingredients


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
    named, asked = _entries(said), _entries(true)
    all_named, all_asked = frozenset[str]().union(*named), frozenset[str]().union(*asked)
    amounts = _amounts(true)
    return IngredientScores(
        precision=_share(bool(entry & all_asked) for entry in named) or 0.0,
        recall=_share(bool(entry & all_named) for entry in asked) or 0.0,
        quantities=(amounts & _amounts(said)).total() / amounts.total() if amounts else 1.0,
        invented=_share(not _has_kind_of(all_asked, entry) for entry in named),
    )


@dataclass(frozen=True, slots=True)
class IngredientMarks:
    """What `compare_ingredients` counts, line by line.

    Attributes:
        lines: each line said, headings aside, and its mark: "right" (in the recipe), "near" (the recipe has another
            kind of it) or "invented"; a line that names several has the worst of theirs.
        missing: the names of the recipe that are not said.
    """

    lines: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"lines": [{"line": line, "mark": mark} for line, mark in self.lines], "missing": list(self.missing)}


def mark_ingredients(said: Sequence[Ingredient], true: Sequence[Ingredient]) -> IngredientMarks:
    """Compare two parsed ingredient lists for a reader."""
    all_named, all_asked = (frozenset[str]().union(*_entries(items)) for items in (said, true))
    missing = (name for item in true for name, entry in _named_entries(item) if not entry & all_named)
    return IngredientMarks(
        lines=tuple((item.raw, _mark(item, all_asked)) for item in said if item.name),
        missing=tuple(dict.fromkeys(missing)),
    )


def _mark(item: Ingredient, all_asked: frozenset[str]) -> str:
    entries = [entry for _, entry in _named_entries(item)]
    if all(entry & all_asked for entry in entries):
        return "right"
    return "near" if all(_has_kind_of(all_asked, entry) for entry in entries) else "invented"


def _entries(ingredients: Iterable[Ingredient]) -> set[frozenset[str]]:
    """The folded names of each ingredient: its own and those of its alternatives."""
    return {entry for item in ingredients for _, entry in _named_entries(item)}


def _named_entries(item: Ingredient) -> Iterator[tuple[str, frozenset[str]]]:
    if item.name:
        yield item.name, frozenset(map(fold, (item.name, *item.alternatives)))
        yield from ((other, frozenset({fold(other)})) for other in item.others)


def _amounts(ingredients: Iterable[Ingredient]) -> Counter[tuple[str, Quantity | None, str | None]]:
    return Counter(
        (fold(item.name), *_amount(item.quantity, item.unit))
        for item in ingredients
        if item.name and (item.quantity is not None or item.unit)
    )


def _amount(quantity: Quantity | None, unit: str | None) -> tuple[Quantity | None, str | None]:
    """An amount in one unit for the weights and one for the volumes that people convert: half a kg is 500 gram."""
    if quantity is None:
        return None, unit
    smaller, times = _SMALLER.get(unit or "", (unit, 1))
    return (quantity[0] * times, quantity[1] * times) if isinstance(quantity, tuple) else quantity * times, smaller


def _has_kind_of(names: Iterable[str], entry: Iterable[str]) -> bool:
    have, wanted = [thing(name) for name in names], [thing(name) for name in entry]
    return any(one and other and one.is_related_to(other) for one in have for other in wanted)


def _share(hits: Iterable[bool]) -> float | None:
    counted = list(hits)
    return sum(counted) / len(counted) if counted else None


# ---------------------------------------------------------------------------------------------------------------- steps


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


# ----------------------------------------------------------------------------------------------------------- any answer


def has_loop(text: str) -> bool:
    """Whether a text goes round in circles: words three times in a row, a line four times, a long part twice."""
    lines = Counter(line for line in map(str.strip, text.lower().splitlines()) if len(line.split()) >= _LINE_WORDS)
    if any(times >= _LINE_TIMES for times in lines.values()):
        return True
    words = words_of(text)
    runs = [tuple(words[start : start + _ECHO]) for start in range(len(words) - _ECHO + 1)]
    if len(set(runs)) < len(runs):
        return True
    _, ids = np.unique(np.array(words, dtype=object).astype(str), return_inverse=True) if words else ([], np.zeros(0))
    return any(
        _longest_run(ids[:-period] == ids[period:]) >= max((_ROUNDS - 1) * period, _SHORTEST_LOOP - period)
        for period in range(1, min(_LONGEST_ROUND, len(words) // _ROUNDS) + 1)
    )


def _longest_run(hits: "np.typing.NDArray[np.bool_]") -> int:
    """The length of the longest run of True."""
    misses = np.flatnonzero(~hits)
    return int(np.diff(np.concatenate([[-1], misses, [len(hits)]])).max() - 1)


def indonesian_share(text: str, vocabulary: Collection[str]) -> float | None:
    """The share of a text's words that are in the vocabulary, as they are or without an ending; None without words."""
    words = _LETTERS.findall(text.lower())
    return _share(word in vocabulary or _bare(word, _ENDINGS) in vocabulary for word in words)


def _bare(word: str, endings: Sequence[str]) -> str:
    return next((word.removesuffix(ending) for ending in endings if word.endswith(ending)), word)


def has_control_token(text: str) -> bool:
    """Whether a text shows something that only a tokenizer should see."""
    return _CONTROL.search(text) is not None


# ----------------------------------------------------------------------------------------------------------------- tips

_EMPTY: Final = frozenset(WORDS["tips"]["empty"].split())
_REASONS: Final = frozenset(WORDS["tips"]["reasons"])
_ENOUGH: Final = 1 / 3


def key_words(text: str) -> set[str]:
    """The words of a text that say something, without the particles that Indonesian appends."""
    return {_bare(word, _PARTICLES) for word in _LETTERS.findall(text.lower()) if len(word) > 2 and word not in _EMPTY}


def gives_reason(text: str, reference: str) -> bool:
    """Whether a text has a word that reasons are given with, or a third of the key words of the reference's reason.

    The reason of a reference is its last sentence, or the end of it after a semicolon.
    """
    if not _REASONS.isdisjoint(words_of(text)):
        return True
    *_, reason = re.split(r"(?<=[.!?;])\s+", reference.strip())
    return (said_of(key_words(reason), text) or 0.0) >= _ENOUGH


def said_of(wanted: Collection[str], text: str) -> float | None:
    """The share of key words that a text says; None where none are wanted."""
    said = key_words(text)
    return _share(word in said for word in wanted)


# ------------------------------------------------------------------------------------------------------------- refusals

_DECLINES: Final = re.compile("|".join(rf"\b{re.escape(words)}\b" for words in WORDS["refusals"]["declines"]))


def declines(text: str) -> bool:
    """Whether a text has words that one declines with, or refers to others with."""
    return _DECLINES.search(text.lower()) is not None
