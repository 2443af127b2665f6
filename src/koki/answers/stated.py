"""The amounts and times that running text states, each with the foods that it speaks of; words are in ``said.toml``."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from koki.answers.comparison import comparable
from koki.answers.said import WORDS
from koki.book.pantry import Thing, thing
from koki.ingredients.amounts import FIGURES, Quantity, read_quantity
from koki.ingredients.lexicon import LEXICON, fold, match
from koki.ingredients.wording import normalise

_STATED: Final = WORDS["stated"]
_TIMES: Final = {spelling: (name, minutes) for name, minutes, *also in _STATED["times"] for spelling in (name, *also)}
_ALONE: Final[dict[str, float]] = _STATED["alone"]
_NOT: Final = frozenset(_STATED["not"])
_PURPOSES: Final = frozenset(_STATED["purposes"])
_CLAUSE_END: Final = re.compile(rf"[;:!?\n()]+|[.,](?!\d)|\b(?:{'|'.join(_STATED['joints'])})\b")
_TOKEN: Final = re.compile(rf"{FIGURES}|[^\W\d_]+(?:-[^\W\d_]+)*")
_MINUTE: Final = "menit"


class Stated(NamedTuple):
    """An amount or a time that a text states.

    Attributes:
        quantity: in `unit`; None for an amount without a number.
        unit: canonical, the smaller one of two that are converted into each other: gram, ml, menit; empty for none.
        foods: that the clause speaks of.
        words: of the clause, with and without their endings.
    """

    quantity: Quantity | None
    unit: str
    foods: tuple[Thing, ...]
    words: frozenset[str]

    @property
    def is_time(self) -> bool:
        """Whether it is a time."""
        return self.unit == _MINUTE

    def speaks_of(self, wanted: Sequence[Thing]) -> bool:
        """Whether it may be meant of one of these things: no food is named beside it, or one of them is."""
        return not self.foods or any(it.words <= self.words or any(map(it.is_related_to, self.foods)) for it in wanted)


def stated_in(text: str) -> list[Stated]:
    """All that a text states, in order; what it denies ("bukan 5 siung") is left out."""
    return [stated for clause in _CLAUSE_END.split(text.lower()) for stated in _stated_in(clause)]


def foods_in(text: str) -> list[str]:
    """The foods that a text names, each by the longest name that is known: "bawang putihnya" is bawang putih."""
    words = [_bare(word) for word in fold(text).split()]
    found, at = list[str](), 0
    while at < len(words):
        size, _ = match(LEXICON.known, words, at)
        if size:
            found.append(" ".join(words[at : at + size]))
        at += size or 1
    return found


def _with_and_without_endings(text: str) -> frozenset[str]:
    words = fold(text).split()
    return frozenset(word.removesuffix(ending) for word in words for ending in ("", *_STATED["endings"]))


def _bare(word: str) -> str:
    """A word without what is written in one with it: "santannya"."""
    endings = (ending for ending in _STATED["endings"] if word.endswith(ending))
    bare = (word.removesuffix(ending) for ending in endings)
    return word if word in _KNOWN_WORDS else next((one for one in bare if one in _KNOWN_WORDS), word)


_KNOWN_WORDS: Final = frozenset(LEXICON.known.words())


def _stated_in(clause: str) -> Iterator[Stated]:
    words: list[str] = _TOKEN.findall(normalise(clause))
    at = 0
    while at < len(words):
        found = _amount_at(words, at)
        if found and (at == 0 or words[at - 1] not in _NOT):
            size, quantity, unit = found
            end = next((end for end in range(at + size, len(words)) if words[end] in _PURPOSES), len(words))
            beside = " ".join([*words[:at], *words[at + size : end]])
            foods = tuple(filter(None, map(thing, foods_in(beside))))
            yield Stated(quantity, unit, foods, _with_and_without_endings(beside))
        at += found[0] if found else 1


def _amount_at(words: list[str], at: int) -> tuple[int, Quantity | None, str] | None:
    """How many words an amount takes that begins here, and what it is."""
    word = words[at]
    if word in _ALONE:
        return 1, _ALONE[word], _MINUTE
    if word[0].isdigit():
        size, unit, minutes = _unit_at(words, at + 1)
        quantity = read_quantity(word, unit)
        return (1 + size, _in_minutes(quantity, minutes), _MINUTE) if minutes else (1 + size, *_small(quantity, unit))
    if word in LEXICON.numbers:
        size, unit, minutes = _unit_at(words, at + 1)
        number = LEXICON.numbers[word]
        if size:
            return (1 + size, number * minutes, _MINUTE) if minutes else (1 + size, *_small(number, unit))
    elif word.startswith("se") and word not in LEXICON.amounts:
        size, unit, minutes = _unit_at([word[2:]], 0)
        if size and word not in LEXICON.units:
            return (1, float(minutes), _MINUTE) if minutes else (1, *_small(1.0, unit))
    if at + 1 < len(words) and words[at + 1][0].isdigit():  # "kira-kira 35 menit"
        return None
    size, unit = match(LEXICON.amounts, words, at)
    return (size, None, unit) if unit in _STATED["amounts"] else None


def _unit_at(words: list[str], at: int) -> tuple[int, str, int]:
    """The unit that begins here: how many words it takes, its name, and the minutes of a time."""
    if at < len(words) and words[at] in _TIMES:
        return 1, *_TIMES[words[at]]
    size, unit = match(LEXICON.units, words, at) if at < len(words) else (0, "")
    return size, unit, 0


def _in_minutes(quantity: Quantity, minutes: float) -> Quantity:
    return (quantity[0] * minutes, quantity[1] * minutes) if isinstance(quantity, tuple) else quantity * minutes


def _small(quantity: Quantity, unit: str) -> tuple[Quantity | None, str]:
    number, small = comparable(quantity, unit)
    return number, small or ""
