"""The figures of an ingredient line: how they are written, and which numbers they stand for."""

import re
from typing import Final

from koki.ingredients.lexicon import LEXICON

Quantity = float | tuple[float, float]
"""A number or a range (low, high)."""

LEAST_PRICE: Final = 500
"""A whole number without a unit, from this one on, is a price in rupiah: no recipe counts out 500 of anything."""

_NUMBER: Final = r"[0-9]{1,6}(?:(?:\s+[0-9]{1,6})?\s?/\s?[0-9]{1,6}|[.,][0-9]{1,6})?"
_TO: Final = r"\s?(?:-|~|s/d|sampai|hingga|atau)\s?"
FIGURES: Final = rf"{_NUMBER}(?:{_TO}{_NUMBER})?"
"""The pattern of the texts that `read_quantity` reads: "3", "1 1/2", "2-3"."""

_FIGURES: Final = re.compile(rf"({_NUMBER})(?:{_TO}({_NUMBER}))?")
_SLASH: Final = re.compile(r"\s?/\s?")


def read_quantity(text: str, unit: str) -> Quantity:
    """The number or range that ``text``, one match of `FIGURES`, stands for before a unit (canonical; "" for none)."""
    if text.isdigit():
        return float(text)
    above, _, below = text.partition("/")
    if unit in LEXICON.words["whole"] and above.isdigit() and below.isdigit() and int(below) == int(above) + 1 > 2:
        return float(above), float(below)  # nobody takes two thirds of a leaf
    found = _FIGURES.match(text)
    low, high = found.groups() if found else ("0", None)
    first, last = _number(low), _number(high or "0")
    if last > first:
        return first, last
    return first + last if last < 1 else first  # "1-1/2" is one and a half


def _number(text: str) -> float:
    """The value of "1 1/2", "11/2", "1,5", "1.500" or "3"."""
    return sum(_fraction(piece) if "/" in piece else _decimal(piece) for piece in _SLASH.sub("/", text).split())


def _fraction(text: str) -> float:
    above, _, below = text.partition("/")
    if len(above) == 2 and int(above) > int(below):  # "11/2" is one and a half
        return int(above[0]) + int(above[1]) / (int(below) or 1)
    return int(above) / (int(below) or 1)


def _decimal(text: str) -> float:
    whole, _, digits = text.replace(",", ".").partition(".")
    is_thousands = len(digits) == 3 and whole != "0"
    return float(whole + digits) if is_thousands else float(f"{whole}.{digits or 0}")
