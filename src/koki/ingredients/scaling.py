"""Ingredient lines with their amounts multiplied, for more or fewer portions."""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from koki.ingredients.amounts import NUMBER, TO, Quantity, is_price, read_quantity
from koki.ingredients.lexicon import LEXICON, is_known, match, role_of, stays
from koki.ingredients.parse import Ingredient
from koki.ingredients.wording import normalise

_VULGAR: Final = {
    Fraction(above, below): sign
    for above, below, sign in (
        (1, 2, "½"), (1, 3, "⅓"), (2, 3, "⅔"), (1, 4, "¼"), (3, 4, "¾"), (1, 5, "⅕"), (1, 6, "⅙"), (1, 8, "⅛"),
        (3, 8, "⅜"), (5, 8, "⅝"), (7, 8, "⅞"),
    )
}  # fmt: skip
_ONE: Final = rf"(?:(?:[0-9]{{1,6}}\s?)?[¼-¾⅐-⅞]|{NUMBER})"
_BETWEEN: Final = TO.replace("-", "[-–—−]", 1)
_DEGREES: Final = "|".join(map(re.escape, sorted(LEXICON.words["degrees"])))
_NUMBERED: Final = "".join(
    rf"(?<!\b{word}{joint})" for word in sorted(LEXICON.words["numbered"]) for joint in (" ", r"\.", r"\. ")
)
_TOKEN: Final = re.compile(
    rf"(?P<figures>(?<![^\W_])(?<![0-9][.,]){_NUMBERED}(?P<low>{_ONE})(?:(?P<to>{_BETWEEN})(?P<high>{_ONE}))?)(?![0-9]|[.,][0-9]|\s?(?:{_DEGREES}))"
    rf"|(?P<word>[^\W\d_]+(?:[-'’][^\W\d_]+)*)|(?P<sign>[^\s\w])",
    re.IGNORECASE,
)
# Weights and volumes are written with a comma: "62,5 gram"; all else with the fraction: "2½ sdm".
_METRIC: Final = frozenset({"gram", "ml"})
_LENGTHS: Final = frozenset({"cm"})
_SUPERSCRIPTS: Final = str.maketrans("¹²³⁴₂₃₄", "1234234")  # "¹/²"
_ENDS_CLAUSE: Final = frozenset(",;()[]+&/=~±")


class _Amount(NamedTuple):
    """A number of a line that is to be multiplied.

    Attributes:
        between: what stands between the ends of a range.
        lacks: what stands after the number in its place: the unit of "seekor", which was glued to it.
        measure_end: the end of its unit, or its own.
    """

    start: int
    end: int
    quantity: Quantity
    unit: str
    between: str = "-"
    lacks: str = ""
    measure_end: int = 0


def scaled(ingredients: Sequence[Ingredient], times: Fraction) -> list[str]:
    """The raw lines with all their amounts multiplied, also ranges and second amounts in brackets.

    What is no amount stays: headings, lines without a number, how something is cut ("potong 4"), the size of a package
    ("1 bungkus santan (65 ml)") or of a piece ("ukuran 500 gram"), prices.
    """
    return [_scaled(item, times) for item in ingredients]


def amount_said(item: Ingredient) -> str | None:
    """The line's amount as it is written there: "5 siung", "secukupnya"; None where it says none."""
    if item.quantity is None:
        return item.unit
    own = (amount for amount in _amounts(item) if amount.quantity == item.quantity)
    return next((item.raw[amount.start : amount.measure_end] for amount in own), None)


def _scaled(item: Ingredient, times: Fraction) -> str:
    line = item.raw
    if times == 1 or item.heading:
        return line
    for amount in reversed(_amounts(item)):
        line = line[: amount.start] + _written(amount, line, times) + line[amount.end :]
    return line


# ------------------------------------------------------------------------------------------------- where amounts are


def _amounts(item: Ingredient) -> list[_Amount]:
    """The amounts of a line, in order."""
    found = list(_Reader(item).read())
    if item.quantity is not None and all(amount.quantity != item.quantity for amount in found):
        # said in a way of its own, yet the parser knows that it is the line's amount
        own = (_figures(token) for token in _tokens(item.raw) if token["figures"])
        found = sorted({*found, *[amount for amount in own if amount.quantity == item.quantity][:1]})
    return found


def _tokens(raw: str) -> list[re.Match[str]]:
    return list(_TOKEN.finditer(raw.translate(_SUPERSCRIPTS)))


def _figures(token: re.Match[str], unit: str = "") -> _Amount:
    quantity = read_quantity(normalise(token["figures"]), unit)
    start, end = token.span("figures")
    return _Amount(start, end, quantity, unit, token["to"] or "-", measure_end=end)


class _Reader:
    """Reads a line from left to right, and tells its amounts from other numbers."""

    def __init__(self, item: Ingredient) -> None:
        self.item = item
        self.tokens = _tokens(item.raw)
        self.words = [(token["word"] or token["figures"] or token["sign"]).lower() for token in self.tokens]
        self.name: list[str] = []  # words of the clause, before which a preparation may belong to a name
        self.is_open = True  # no preparation or remark was begun in this clause
        self.begins = True  # at the start of a clause
        self.in_brackets = False
        self.measured_in: str | None = None  # the unit of the last amount outside brackets

    def read(self) -> Iterator[_Amount]:
        at = 0
        while at < len(self.tokens):
            amount, size = self._amount(at)
            if amount:
                yield amount._replace(measure_end=max(amount.end, self.tokens[at + size - 1].end()))
                if not self.in_brackets:
                    self.measured_in = amount.unit
                self.begins = False
            else:
                self._pass(at)
            at += size

    def _amount(self, at: int) -> tuple[_Amount | None, int]:
        """The amount that begins at a token, and how many tokens are read."""
        token = self.tokens[at]
        if self._begins_mixed(at):
            return _Amount(token.start(), self.tokens[at + 1].end(), self.item.quantity or 0, ""), 2
        if token["figures"]:
            size, unit = self._unit(at + 1)
            amount = _figures(token, unit)
            return (amount, 1 + size) if self._is_amount(amount, at, at + 1 + size) else (None, 1 + size)
        word = self.words[at]
        if not token["word"] or not self.is_open:
            return None, 1
        if word in LEXICON.numbers:
            size, unit = self._unit(at + 1)
            if size or (self.measured_in is None and LEXICON.numbers[word] == self.item.quantity):
                amount = _Amount(token.start(), token.end(), LEXICON.numbers[word], unit)
                return amount, 1 + size
        elif word.startswith("se") and word not in LEXICON.units and word not in LEXICON.amounts:
            size, unit = self._unit(at, word[2:])
            if size and self.item.quantity == 1 and self.item.unit == unit:
                amount = _Amount(token.start(), token.start() + 2, 1.0, unit, lacks=" ")
                return amount, size
        return None, 1

    def _begins_mixed(self, at: int) -> bool:
        """Whether the line's own amount begins here and is said in two: "1 setengah", "dua puluh"."""
        words, number_words = self.words[at : at + 2], LEXICON.numbers.keys() | LEXICON.scales.keys()
        begins = bool(self.tokens[at]["figures"]) or words[0] in number_words
        return begins and words[-1] in number_words and len(words) == 2 and at == 0 and self.item.quantity is not None

    def _unit(self, at: int, first: str | None = None) -> tuple[int, str]:
        if at >= len(self.words):
            return 0, ""
        words = self.words if first is None else [*self.words[:at], first, *self.words[at + 1 :]]
        return match(LEXICON.units, words, at)

    def _is_amount(self, amount: _Amount, at: int, after: int) -> bool:
        """Whether a number is an amount, by what stands around it."""
        before = next((word for word in reversed(self.words[:at]) if word != "."), "")
        following = self.words[after] if after < len(self.words) else ""
        words = LEXICON.words
        is_own = amount.quantity == self.item.quantity and self.measured_in is None
        if before in words["price_sign"] or following in words["price"]:
            return False
        if not self.is_open or before in words["size_label"] or before in words["each"]:
            return False
        if not amount.unit and is_price(normalise(self.words[at])):
            return False
        if amount.unit in _LENGTHS:
            return is_own or (self.begins and is_known(following))
        if self.measured_in is None:
            return bool(amount.unit) or is_own
        if not amount.unit:
            return self.begins and is_known(following)
        is_size = self.measured_in in words["packages"] or not self.begins
        return not is_size or (self.begins and is_known(following))

    def _pass(self, at: int) -> None:
        """Goes on past a token that begins no amount."""
        token, word = self.tokens[at], self.words[at]
        if token["sign"] or word in LEXICON.words["and"] or word in LEXICON.words["or"]:
            self.in_brackets = (self.in_brackets or word in "([") and word not in ")]"
            if word in _ENDS_CLAUSE or not token["sign"]:
                self.begins, self.is_open, self.name = True, True, []
            return
        if word in LEXICON.approximately or word in LEXICON.numbers or token["figures"]:
            return
        role = role_of(word)
        if role == "note" or (role in ("verb", "manner") and self.name and not stays(word, self.name)):
            self.is_open = False
        self.begins = self.begins and role == "filler"
        self.name.append(word)


# --------------------------------------------------------------------------------------------- how amounts are written


def _written(amount: _Amount, line: str, times: Fraction) -> str:
    is_decimal = "," in line[amount.start : amount.end] or amount.unit in _METRIC
    ends = amount.quantity if isinstance(amount.quantity, tuple) else (amount.quantity,)
    return amount.between.join(number_said(_exact(end) * times, is_decimal) for end in ends) + amount.lacks


def _exact(number: float) -> Fraction:
    """The number that was written: a third is no 0.333."""
    return Fraction(number).limit_denominator(1000)


def number_said(value: Fraction, is_decimal: bool = False) -> str:
    """A number as people write it: "3", "1½", "62,5"."""
    whole, rest = divmod(value, 1)
    if rest in _VULGAR and not is_decimal:
        return f"{whole or ''}{_VULGAR[rest]}"
    return f"{float(value):.2f}".rstrip("0").rstrip(".").replace(".", ",")
