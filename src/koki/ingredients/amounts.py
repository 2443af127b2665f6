"""The figures of an ingredient line: how they are written, and which numbers they stand for."""

import re
from typing import Final

from koki.ingredients.lexicon import LEXICON

Quantity = float | tuple[float, float]
"""A number or a range (low, high)."""

# A whole number without a unit, from this one on, is a price in rupiah: no recipe counts out 500 of anything.
_LEAST_PRICE: Final = 500
_PLUS: Final = r"\s?(?:\+|&|dan)\s?|\s+"
NUMBER: Final = rf"[0-9]{{1,6}}(?:(?:(?:{_PLUS})[0-9]{{1,6}})?\s?/\s?[0-9]{{1,6}}|[.,][0-9]{{1,20}})?"
"""The pattern of one number: "3", "1 1/2", "1,5"."""

TO: Final = r"\s?(?:-|~|s/d|s\.? ?d\b\.?|sampai|hingga|atau)\s?"
"""The pattern of what stands between the ends of a range."""

FIGURES: Final = rf"{NUMBER}(?:{TO}{NUMBER})?"
"""The pattern of the texts that `read_quantity` reads: "3", "1 1/2", "2-3"."""

_FIGURES: Final = re.compile(rf"({NUMBER})(?:{TO}({NUMBER}))?")
_SLASH: Final = re.compile(r"\s?/\s?")
_PLUS_SIGN: Final = re.compile(r"\+|&|dan")
# Units of which a thousandth has a unit too: "800-1 liter" begins with millilitres.
_OF_A_THOUSAND: Final = frozenset({"liter", "kg"})
_LEAST_OF_A_THOUSAND: Final = 50


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
    if last < 1:  # none, or "1-1/2", which is one and a half
        return first + last
    if unit in _OF_A_THOUSAND and first >= _LEAST_OF_A_THOUSAND:
        return first / 1000, last
    return (last, first) if last < first else first


def is_price(text: str) -> bool:
    """Whether figures without a unit are no quantity but a price: "2.000"."""
    if len(text) < 3:  # nearly all figures
        return False
    quantity = read_quantity(text, "")
    return isinstance(quantity, float) and quantity >= _LEAST_PRICE and quantity.is_integer()


def _number(text: str) -> float:
    """The value of "1 1/2", "1 + 1/2", "11/2", "1,5", "1.500" or "3"."""
    text = _PLUS_SIGN.sub(" ", text)
    return sum(_fraction(piece) if "/" in piece else _decimal(piece) for piece in _SLASH.sub("/", text).split())


def _fraction(text: str) -> float:
    above, _, below = text.partition("/")
    if len(above) == 2 and int(above) > int(below):  # "11/2" is one and a half
        return int(above[0]) + int(above[1]) / (int(below) or 1)
    return int(above) / (int(below) or 1)


def _decimal(text: str) -> float:
    whole, _, digits = text.replace(",", ".").partition(".")
    is_thousands = len(digits) == 3 and whole != "0"
    return float(whole + digits) if is_thousands else round(float(f"{whole}.{digits or 0}"), 6)
