"""One raw ingredient line -> ``Ingredient``.

The way of a line: plain words, brackets and headings taken off, cut at commas, "dan", "atau", "/" and the like
(``wording.py``); each part read word by word (``parts.py``, ``amounts.py``); the parts put together (here).
Rules are code; words are in ``lexicon.toml`` (``lexicon.py``).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple

from koki.ingredients.amounts import Quantity
from koki.ingredients.lexicon import LEXICON, fold, is_known, is_staple, match
from koki.ingredients.parts import Part, read_part
from koki.ingredients.wording import (
    begins_measured,
    group_of,
    names_several,
    normalise,
    split_parts,
    take_brackets,
    take_label,
)


class Ingredient(NamedTuple):
    """What one line of an ingredient list says.

    ``quantity`` is a number or a range (low, high); ``unit`` is canonical and, where the line gives no number, may be
    an amount such as "secukupnya". A heading has no name and carries its own cleaned text as ``group``.
    """

    raw: str
    name: str | None
    heading: bool = False
    quantity: Quantity | None = None
    unit: str | None = None
    preparation: str | None = None
    note: str | None = None
    optional: bool = False
    alternatives: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    group: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All that the line has of, without alternatives; empty where it names nothing."""
        return (self.name, *self.others) if self.name else ()

    def as_dict(self) -> dict[str, Any]:
        """The line as JSON-ready values; a range becomes a list of two numbers."""
        return {
            "raw": self.raw,
            "name": self.name,
            "heading": self.heading,
            "quantity": list(self.quantity) if isinstance(self.quantity, tuple) else self.quantity,
            "unit": self.unit,
            "preparation": self.preparation,
            "note": self.note,
            "optional": self.optional,
            "alternatives": list(self.alternatives),
            "others": list(self.others),
        }


_JOINTS: Final = {",": ", ", "and": " dan ", "or": "/"}


@dataclass(slots=True)
class _Line:
    """A line as its parts are put together."""

    name: list[str] = field(default_factory=list)
    quantity: Quantity | None = None
    unit: str | None = None
    optional: bool = False
    alternatives: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    preparation: str = ""
    notes: list[str] = field(default_factory=list)
    is_open: bool = False
    prepares: bool = False  # what was said last is a preparation

    def add(self, separator: str, words: list[str]) -> None:
        """Reads one more part."""
        part = read_part(words, leading=not self.name)
        if not self.name:
            self._begin(part)
        elif not part.name:
            self._take_amount(part)
        elif separator == "or":
            self.alternatives.append(_share(self.name, part.name))
            self._share_amount(part)
        elif self._is_other(part, separator):
            names = _names(" ".join(part.name))
            shares = separator == "and" or not is_known(names[0])
            self.others += (_share(self.name, part.name),) if shares else names
            if part.unit in LEXICON.amount_names:
                self._share_amount(part)
        else:
            self._go_on(separator, " ".join(words))
            return
        self._take_rest(part, separator)
        if part.rest:
            self.add(",", part.rest)

    def add_aside(self, text: str) -> None:
        """Reads what stands in brackets: never a further ingredient."""
        for separator, words in split_parts(text):
            part = read_part(words, leading=False)
            if not part.name:
                self._take_amount(part)
                self._take_rest(part, separator)
            elif separator == "or" and is_known(" ".join(part.name)):
                self.alternatives.append(_share(self.name, part.name))
            elif separator == "and" and self.is_open:
                self._go_on(separator, " ".join(words))
            else:
                self._add_note(",", " ".join(words))

    def _begin(self, part: Part) -> None:
        self.name = part.name
        if self.quantity is None and (part.unit or not self.unit):
            self.quantity, self.unit = part.quantity, part.unit
        elif part.quantity is not None:  # "1 bungkus/2 sdm tepung"
            self.notes.append(part.amount())

    def _take_amount(self, part: Part) -> None:
        """An amount without a name is the line's, if that has none yet: "garam (1 sdt)"."""
        if part.quantity is None and part.unit is None:
            return
        if self.quantity is None and (self.unit is None or part.quantity is not None):
            self.quantity, self.unit = part.quantity, part.unit
        else:
            self.notes.append(part.amount())

    def _share_amount(self, part: Part) -> None:
        """An amount behind the last of several names is that of all: "garam, gula secukupnya"."""
        if part.amount_behind and self.quantity is None and self.unit is None:
            self.quantity, self.unit = part.quantity, part.unit

    def _is_other(self, part: Part, separator: str) -> bool:
        if separator == "and" and self.is_open:
            return False
        plain = separator == "and" and len(part.name) < 4 and not self.preparation and not self.notes
        return plain or part.quantity is not None or is_known(" ".join(part.name))

    def _go_on(self, separator: str, text: str) -> None:
        """Words that name nothing go on with what was said last: "kupas dan bagi dua"."""
        self.is_open = True
        if separator != "," and self.prepares:
            self.preparation += _JOINTS[separator] + text
        else:
            self._add_note(separator, text)

    def _take_rest(self, part: Part, separator: str) -> None:
        self.optional |= part.optional
        self.is_open = part.ends_open
        for preparation in part.preparations:
            self.preparation += (_JOINTS[separator] if self.preparation else "") + preparation
            self.prepares, separator = True, ","
        for note in part.notes:
            self._add_note("," if part.name else separator, note)
            separator = ","

    def _add_note(self, separator: str, text: str) -> None:
        if separator != "," and self.notes and not self.prepares:
            self.notes[-1] += _JOINTS[separator] + text
        else:
            self.notes.append(text)
        self.prepares = False


def _share(main: list[str], other: list[str]) -> str:
    """The other name in full: after "bawang merah", "putih" is bawang putih, but "gula" is no "bawang gula"."""
    if len(other) == 1 and len(main) > 1 and not is_staple(other[0]):
        for head in (main[:-1], main[:1]):
            whole = fold(" ".join([*head, *other])).split()
            if match(LEXICON.known, whole, 0)[0] == len(whole):
                return " ".join([*head, *other])
    return " ".join(other)


@lru_cache(maxsize=16384)
def _names(name: str) -> tuple[str, ...]:
    """One name, or several that stand side by side without a comma: "garam gula"."""
    words = name.split()
    folded = [fold(word) for word in words]
    names, at = [], 0
    while at < len(folded):
        size, _ = match(LEXICON.known, folded, at)
        if not size or (size == 1 and folded[at] not in LEXICON.joinable):
            break
        names.append(" ".join(words[at : at + size]))
        at += size
    return tuple(names) if at == len(words) else (name,)


# ------------------------------------------------------------------------------------------------------------ public


def parse_ingredient(raw: str) -> Ingredient:
    """Reads one line. Any text gives an ``Ingredient``; a line that names no ingredient is a heading."""
    outside, inside = take_brackets(normalise(raw))
    is_aside = bool(inside) and not outside.strip()
    if is_aside:
        outside = inside.pop(0)
    label, rest = take_label(outside)
    line = _Line()
    for part in split_parts(rest):
        line.add(*part)
    if not line.name and inside and (label is None or _lists(label, inside[0])):
        for part in split_parts(inside.pop(0)):
            line.add(*part)
    if not line.name:
        if label is None and not is_aside:
            label = outside
        return Ingredient(raw, None, heading=True, group=group_of(label or ""))
    for aside in inside:
        line.add_aside(aside)
    name, *more = _names(" ".join(line.name))
    return Ingredient(
        raw=raw,
        name=name,
        quantity=line.quantity,
        unit=line.unit,
        preparation=line.preparation or None,
        note=", ".join(line.notes) or None,
        optional=line.optional,
        alternatives=tuple(line.alternatives),
        others=(*more, *line.others),
        group=None if label is None else group_of(label),
    )


def _lists(label: str, text: str) -> bool:
    """Whether what is in brackets behind a heading is what it heads: "lalapan (kol, mentimun)"."""
    return group_of(label) is not None and (names_several(text) or begins_measured(text))


# Of the 134,708 lines of six real files 60 % repeat an earlier one. Remembering them takes a third off the time to read
# these files, and saves memory too, because recipes then share their ingredients.
_parse_once: Final = lru_cache(maxsize=65536)(parse_ingredient)


def parse_ingredients(lines: Iterable[str]) -> tuple[Ingredient, ...]:
    """Reads a recipe's lines in order, headings included; each ingredient gets the group of the heading above it."""
    group: str | None = None
    read = []
    for line in lines:
        ingredient = _parse_once(line)
        if ingredient.heading:
            group = ingredient.group or group
        elif group and ingredient.group is None:
            ingredient = Ingredient._make((*ingredient[:-1], group))  # `_replace` takes twice as long
        read.append(ingredient)
    return tuple(read)
