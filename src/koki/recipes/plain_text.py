"""Plain text, as in a document or an exported chat -> recipes: a title, its ingredients, its steps, again and again.

The headings are those that columns have (``columns.toml``): *Bahan*, *Cara membuat*. What stands before the first one,
and between the steps of a recipe and the next heading, is looked through for a title.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Final, NamedTuple

from koki.recipes.cleaning import bare
from koki.recipes.columns import field_named, is_seasoning

_WORDS: Final = tomllib.loads(files(__package__).joinpath("plain_text.toml").read_text(encoding="utf-8"))
_ABOUT: Final = frozenset(_WORDS["about"])
_TITLES: Final = frozenset(_WORDS["titles"])
_SILENT: Final = frozenset(_WORDS["silent"])

# Characters and words of a line that may be a heading or a title.
_LONGEST_HEADING: Final = 120
_MOST_WORDS: Final = 12


@dataclass(slots=True)
class TextRecipe:
    """A recipe of a text.

    Attributes:
        line: the line of its title, or of its first heading where it has none.
        skipped: whether lines between the recipe before and this one belong to neither.
    """

    line: int
    title: str
    skipped: bool
    ingredients: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)


def text_recipes(lines: Sequence[str]) -> Iterator[TextRecipe]:
    """The recipes of a text, each with a heading for ingredients; nothing for a text without one."""
    recipe: TextRecipe | None = None
    gap: list[_Line] = []  # since the last heading
    for line in _lines(lines):
        heading = _heading(line.text)
        if heading is None or (recipe and not heading.opens and heading.field == "ingredients"):
            gap.append(line)
        elif heading.field == "steps" and recipe and not recipe.steps:
            recipe.ingredients += _own(gap, gap[:1])
            gap = [line._replace(text=heading.rest)]
        elif heading.field == "ingredients":
            title, before, after = _title_in(gap)
            if recipe:
                yield _closed(recipe, before)
            skipped = any(it.text for it in (after if recipe else [*before, *after]))
            recipe = TextRecipe(title.number if title else line.number, title.text if title else "", skipped)
            gap = [line._replace(text=heading.rest)]
        else:
            gap.append(line)
    if recipe:
        yield _closed(recipe, gap)


def _closed(recipe: TextRecipe, rest: "Sequence[_Line]") -> TextRecipe:
    own = _own(rest, rest[:1])
    if recipe.ingredients:
        recipe.steps += own
    else:  # no heading of steps came
        recipe.ingredients += own
    return recipe


def _own(lines: "Sequence[_Line]", first: "Sequence[_Line]") -> list[str]:
    """The texts of who wrote the first line: in a chat others say thanks between."""
    return [it.text for it in lines if it.text and it.author == first[0].author]


# --------------------------------------------------------------------------------------------------------------- lines


class _Line(NamedTuple):
    """A line without the marks of a chat.

    Attributes:
        starts: whether a blank line or another message stands before it.
        marked: whether all of it is in bold, or a heading of Markdown.
    """

    number: int
    text: str
    author: str
    starts: bool
    marked: bool


# 12/03/24 10.15 - Ibu: ...   [12/03/24 10:15:20] Ibu: ...   3/12/24, 10:15 AM - Ibu: ...
_MESSAGE: Final = re.compile(
    r"[\u200e\u200f\ufeff]*\[?\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4},?\s+(?:pukul\s+)?\d{1,2}[.:]\d{2}(?:[.:]\d{2})?"
    r"(?:[\s\u202f]?[AaPp]\.?[Mm]\.?)?\]?\s*(?:[-–]\s*)?(?:([^:\n]{1,60}):\s?)?"
)
_MARKED: Final = re.compile(r"\s*(?:#{1,6}\s+\S.*|[^\w*]*\*[^*\s][^*]*\*\W*|[^\w_]*__[^_]+__\W*)")
_EMPHASIS: Final = re.compile(r"(?<!\w)[*_~]+(?=\S)|(?<=\S)[*_~]+(?!\w)")
_KEYCAP: Final = re.compile("(\\d)\ufe0f?\u20e3")  # 1️⃣


def _lines(lines: Sequence[str]) -> Iterator[_Line]:
    author, starts = "", True
    for number, line in enumerate(lines, 1):
        text = line
        if message := _MESSAGE.match(line):
            author, starts = message[1] or "", True
            text = line[message.end() :] if author else ""
        text = text.strip()
        if text.strip("\u200e ").casefold() in _SILENT or not text:
            starts = True
            continue
        marked = len(text) <= _LONGEST_HEADING and _MARKED.fullmatch(text) is not None
        yield _Line(number, _plain(text), author, starts, marked)
        starts = False


def _plain(text: str) -> str:
    """The line without emphasis, and with numbers for the emoji of numbers."""
    return _EMPHASIS.sub("", _KEYCAP.sub(r"\1. ", text.replace("🔟", "10. "))).lstrip("# ")


# ------------------------------------------------------------------------------------------------------------ headings


class _Heading(NamedTuple):
    """A line that names a part of a recipe.

    Attributes:
        rest: what stands behind it in its line, or the whole line where it says more than the name.
        opens: whether a recipe begins here, even where another one has its ingredients already.
    """

    field: str
    rest: str
    opens: bool


_ENUMERATOR: Final = re.compile(r"\W*(?:[A-Za-z]|\d{1,2}|I{1,3})[.)]\s+")
_BRACKETS: Final = re.compile(r"\([^()]*\)")


def _heading(text: str) -> _Heading | None:
    """What a line is the heading of: "Bahan:", "Cara membuat", "Bahan kuah:", "Bahan: ayam, garam"."""
    label, colon, rest = text.partition(":")
    if len(label) > _LONGEST_HEADING:
        return None
    label = _BRACKETS.sub(" ", label)
    label = label[found.end() :] if (found := _ENUMERATOR.match(label)) else label
    named = field_named(label)
    if named in {"ingredients", "steps"}:
        return _Heading(named, rest.strip(), not is_seasoning(label))
    words = label.split()
    if (rest.strip() or not colon) or not 1 < len(words) <= _MOST_WORDS:
        return None
    for count in range(min(4, len(words) - 1), 0, -1):
        named = field_named(" ".join(words[:count]))
        if named in {"ingredients", "steps"}:
            about = bare(words[count]) in _ABOUT
            return _Heading(named, "" if about or named == "steps" else text, False)
    return None


# -------------------------------------------------------------------------------------------------------------- titles

_NUMBERED: Final = re.compile(r"\W*\d{1,2}\s?[.)]|\s*[-•]")


def _title_in(gap: Sequence[_Line]) -> tuple[_Line | None, Sequence[_Line], Sequence[_Line]]:
    """The title of the recipe that follows, and what stands before and behind it."""
    place = _title_place(gap)
    if place is None:
        return None, gap, ()
    title = gap[place]
    if _names_title(title):
        title = title._replace(text=title.text.partition(":")[2].strip())
    return title, gap[:place], gap[place + 1 :]


def _title_place(gap: Sequence[_Line]) -> int | None:
    """The last line that is surely a title; else the first line of the last paragraph, if that may be one."""
    places = [place for place, line in enumerate(gap) if _may_be_title(line.text)]
    for is_title in (_names_title, lambda line: line.marked, _says_title, _begins):
        if found := [place for place in places if is_title(gap[place])]:
            return found[-1]
    return places[-1] if places else None


def _begins(line: _Line) -> bool:
    return line.starts and not _NUMBERED.match(line.text) and not line.text.endswith(".")


def _names_title(line: _Line) -> bool:
    """Whether a line is of the form "Judul: Soto Ayam"."""
    label, colon, rest = line.text.partition(":")
    return bool(colon and rest.strip()) and field_named(label) == "title"


def _may_be_title(text: str) -> bool:
    if len(text) > _LONGEST_HEADING or len(text.split()) > _MOST_WORDS or not any(map(str.isalpha, text)):
        return False
    return bare(text.split()[0]) not in _ABOUT


def _says_title(line: _Line) -> bool:
    """Whether a line is of the form "Resep Soto Ayam" or "SOTO AYAM"."""
    return bare(line.text.split()[0]) in _TITLES or (line.text.isupper() and not _NUMBERED.match(line.text))
