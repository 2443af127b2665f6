"""A field -> its items: what separates ingredients, and what steps.

The strongest separator counts: ``--`` and line ends; then numbers; and where they leave one item, what may stand
within a line: bullets and letters, then semicolons and commas between ingredients, and sentences of a step.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from importlib.resources import files
from itertools import chain, islice
from string import ascii_lowercase
from typing import Final

from koki.ingredients.lexicon import LEXICON, is_known, role_of
from koki.ingredients.parse import parse_ingredient

_WORDS: Final = tomllib.loads(files(__package__).joinpath("items.toml").read_text(encoding="utf-8"))
_STEP_WORDS: Final = tuple(_WORDS["step_numbers"])
STEP_NUMBERS: Final = "|".join(_STEP_WORDS)
"""The pattern of a word before the number of a step."""


def has_letter(text: str) -> bool:
    """Whether the text has a letter."""
    return any(map(str.isalpha, text))


def ingredient_items(text: str, separator: str | None = None) -> list[str]:
    """The items of a list of ingredients, not yet clean.

    Args:
        separator: what stands between them, if the text has it; None to find it.
    """
    if separator is not None and len(given := _split_at(_given(separator), text)) > 1:
        return _glued(given, [not _goes_on(piece) for piece in given]) if separator.strip() == "," else given
    items = _items(text)
    lines = list(islice(filter(has_letter, items), _MOST_LINES + 1))
    if len(lines) > _MOST_LINES:  # nearly all texts are of this kind
        return items
    naming = [line for line in lines if not _is_heading(line)] or lines
    return [piece for line in lines for piece in (_pieces(line) if naming == [line] else [line])]


def step_items(text: str, separator: str | None = None) -> list[str]:
    """The steps, not yet clean; of a text in one line its sentences.

    Args:
        separator: what stands between them, if the text has it; None to find it.
    """
    if separator is not None and len(given := _split_at(_given(separator), text)) > 1:
        return given
    items = _items(text)
    lines = list(islice(filter(has_letter, items), 2))
    if len(lines) != 1:
        return items
    [line] = lines
    ways = (_split_at(_BULLET, line), _counted(line, _LETTERS, ascii_lowercase), _sentences(line), line.split(";"))
    return next((steps for steps in ways if sum(map(has_letter, steps)) > 1), lines)


# ------------------------------------------------------------------------------------------------ lines and numbers

_DASHES: Final = re.compile("--+")
ONE: Final = re.compile(r"1\s?[.)]")
"""What a text with a numbered list has."""

_NUMBER_ONE: Final = re.compile(r"(?m:^)[^\w\n]*" + ONE.pattern)
# Where the number %s stands: after a word for "step", at the start of a line, within the line.
_NUMBERS: Final = (
    rf"(?i:{STEP_NUMBERS})\s*%s\s*[.:)=]*",
    r"(?m:^)[ \t(]*%s\s?(?:\.?\)|\.(?!\d))",
    r"(?<![\w,.])%s\s?(?:\.?\)|\.(?!\d))",
)
_LETTERS: Final = (r"(?i:(?<![\w.])%s\s?[.)](?=\s))",)


def _items(text: str) -> list[str]:
    """Separated by ``--`` (or more), by newlines, or by the numbers 1, 2, 3 ..."""
    blocks, folded = _DASHES.split(text), text.casefold()
    if (ONE.search(text) and _NUMBER_ONE.search(text)) or any(word in folded for word in _STEP_WORDS):
        numbers = [str(number) for number in range(1, 100)]
        return [item for block in blocks for item in _counted(block, _NUMBERS, numbers) or block.split("\n")]
    return [item for block in blocks for item in block.split("\n")]


def _counted(block: str, marks: Sequence[str], labels: Iterable[str]) -> list[str]:
    """What stands before and between the labels; empty if not two of them at least follow each other.

    A line without a label goes on with the item before it.
    """
    for mark in marks:
        cuts: list[tuple[int, int]] = []
        for label in labels:
            found = re.compile(mark % label).search(block, cuts[-1][1] if cuts else 0)
            if not found:
                break
            cuts.append(found.span())
        if len(cuts) > 1:
            edges = [0, *chain.from_iterable(cuts), len(block)]
            return [block[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
    return []


# ---------------------------------------------------------------------------------------------------- within a line

_BULLET: Final = re.compile(r"[•●▪◦‣∙✓✔☑➢➤|\t]|(?<=\s)[*·](?=\s)")
_COMMA: Final = re.compile(r"(?<![0-9]),|,(?![0-9])")  # not "1,5 kg"
# From the strongest on. A dash behind a number is a range.
_WEAK: Final = (re.compile(";"), re.compile(r"(?<=[^\d\s]\s)-(?=\s)"), re.compile(r"(?<=\s),(?=\s)"), _COMMA)
_BRACKET: Final = re.compile(r"[(\[{]|[)\]}]")
# Lines of a text that are looked at closer: of its ingredients one may name all, and the others be headings.
_MOST_LINES: Final = 3
_FIRST_WORD: Final = re.compile(r"[\W_]*([^\W\d_]*)")
_HEADINGS: Final = LEXICON.openers - LEXICON.words["comment"] - LEXICON.headings["purpose"]


def _given(separator: str) -> re.Pattern[str]:
    """The separator that a user gives; spaces around it do not matter unless there is nothing else."""
    return _COMMA if separator.strip() == "," else re.compile(re.escape(separator.strip() or separator))


def _split_at(separator: re.Pattern[str], text: str) -> list[str]:
    """The text cut at the separators that do not stand within brackets."""
    pieces, start, depth, brackets = list[str](), 0, 0, _depths(text)
    for found in separator.finditer(text):
        while brackets and brackets[-1][0] < found.start():
            depth = brackets.pop()[1]
        if not depth:
            pieces.append(text[start : found.start()])
            start = found.end()
    return [*pieces, text[start:]]


def _depths(text: str) -> list[tuple[int, int]]:
    """Where each bracket stands and how deep it leads, the last one first; nothing if one has no partner."""
    depths, depth = list[tuple[int, int]](), 0
    for found in _BRACKET.finditer(text):
        depth += 1 if found[0] in "([{" else -1
        if depth < 0:
            return []
        depths.append((found.start(), depth))
    return [] if depth else depths[::-1]


def _pieces(line: str) -> list[str]:
    """The ingredients of one line; the line itself where it names one."""
    for found in (_split_at(_BULLET, line), _counted(line, _LETTERS, ascii_lowercase)):
        if sum(map(has_letter, found)) > 1:
            return found
    for separator in _WEAK:
        pieces = _split_at(separator, line)
        names = list(map(_names_one, pieces))
        if sum(names) > 1 and (names[0] or _is_heading(pieces[0])):
            return _glued(pieces, [names or _is_heading(piece) for names, piece in zip(names, pieces, strict=True)])
    return [line]


def _glued(pieces: Sequence[str], begin: Sequence[bool]) -> list[str]:
    """The items that begin with some of the pieces; the others, such as "memarkan", go on with the one before."""
    items = list(pieces[:1])
    for piece, begins in zip(pieces[1:], begin[1:], strict=True):
        if begins:
            items.append(piece)
        else:
            items[-1] += f",{piece}"
    return items


def _names_one(piece: str) -> bool:
    """Whether an ingredient begins here for sure: an amount, or a food that is known."""
    read = parse_ingredient(piece)
    if not read.name:
        return False
    first = _first_word(piece)
    if role_of(first) in _PREPARING and first not in LEXICON.before_name:
        return read.unit is not None and is_known(read.name)  # "geprek 2 batang serai", but "rebus 10 menit"
    return read.quantity is not None or read.unit is not None or is_known(read.name)


def _goes_on(piece: str) -> bool:
    """Whether the piece only says more about the ingredient before it."""
    return not _names_one(piece) and not _is_heading(piece) and bool(role_of(_first_word(piece)))


def _is_heading(piece: str) -> bool:
    if not parse_ingredient(piece).heading:
        return False
    first = _first_word(piece)
    return piece.rstrip().endswith(":") or (first in _HEADINGS and role_of(first) not in _PREPARING)


_PREPARING: Final = ("verb", "manner", "optional")


def _first_word(piece: str) -> str:
    found = _FIRST_WORD.match(piece)
    return found[1].lower() if found else ""


# -------------------------------------------------------------------------------------------------------- sentences

# Where the next sentence begins: with a capital or a number behind any point; with a small letter only
# behind one point and a space.
_NEXT_SENTENCE: Final = re.compile(
    r"(?:(?<=[.!?])|(?<=[.!?]\)))\s+(?:[-–]\s*)?(?=[\"']?[A-Z0-9])"
    r"|(?<=[a-z).!?][.!?])(?=[A-Z][a-z])|(?<=[^.!?][.!?])\s+(?=[a-z])"
)
_LONGEST_SHORT: Final = 10  # characters at the end of a sentence that an abbreviation stands in
_SHORT: Final = re.compile(r"(?<![^\W\d_])([^\W\d_]{1,6})\.\Z")
_ABBREVIATIONS: Final = frozenset(_WORDS["abbreviations"])


def _sentences(text: str) -> list[str]:
    sentences = list[list[str]]()  # each of its pieces: a text of nothing but points has thousands
    has_word = False
    for piece in _split_at(_NEXT_SENTENCE, text):
        if sentences and (not has_letter(piece) or not has_word or _is_unfinished(sentences[-1][-1], piece)):
            sentences[-1].append(piece)
            has_word = has_word or has_letter(piece)
        else:
            sentences.append([piece])
            has_word = has_letter(piece)
    return [" ".join(pieces) for pieces in sentences]


def _is_unfinished(before: str, following: str) -> bool:
    """Whether the point behind the piece before is that of an abbreviation."""
    short = _SHORT.search(before, max(0, len(before) - _LONGEST_SHORT))
    if not short or len(short[1]) == 1:
        return short is not None
    return following[0].islower() and (len(short[1]) == 2 or short[1].lower() in _ABBREVIATIONS)
