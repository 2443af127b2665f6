"""CSV files -> Recipe objects and a report on every row that gave none.

The way of a file: bytes, text, lines, records (``decoding.py``); the columns that are wanted, by the names of
``columns.toml`` (here); clean title, ingredient lines and steps (``cleaning.py``); recipe (here).
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from koki.errors import DataError
from koki.recipes.cleaning import WORDS, bare, clean_steps, clean_title, ingredient_lines, is_missing, repair
from koki.recipes.decoding import decode, read_bytes, records, split_lines
from koki.recipes.ingredients import Ingredient, is_staple, parse_ingredients
from koki.recipes.report import DUPLICATE_OF, DataReport, DroppedRow, FileReport, Spread, some

DELIMITERS = (",", ";", "\t", "|")
REQUIRED = ("title", "ingredients", "steps")
LONGEST_FIELD = 20_000  # characters; the longest of 11,751 real rows' fields has 3,231: more is a damaged file


@dataclass(frozen=True, slots=True)
class Recipe:
    """One recipe, cleaned. Its identity is its content: equal recipes of two files have equal ids.

    Attributes:
        id: 16 hex digits of SHA-256 over title, ingredient lines and steps, case aside.
        title: as the author wrote it, without emoji, hashtags and closing punctuation; ALL CAPS become Title Case.
        ingredients: parsed lines in order, headings included.
        steps: without numbering, sign-offs ("Selamat mencoba") and pure links.
        file: the path as the user gave it.
        line: the physical line of the file on which the row starts; the header is usually line 1.
    """

    id: str
    title: str
    ingredients: tuple[Ingredient, ...]
    steps: tuple[str, ...]
    loves: int | None
    url: str | None
    category: str | None
    file: str
    line: int

    @property
    def main_ingredients(self) -> tuple[str, ...]:
        """The distinct names that make the dish, in order: no headings, no salt, oil or water."""
        names = (name for item in self.ingredients if not item.heading for name in (item.name, *item.others))
        return tuple(dict.fromkeys(name for name in names if name and not is_staple(name)))


def read_recipes(paths: Sequence[str | Path]) -> tuple[list[Recipe], DataReport]:
    """Read recipe files, in order, each recipe once.

    Raises:
        RecipeFileNotFound: a file is missing.
        DataError: a path is not a readable file, a file lacks a column, or no recipe is left.
    """
    recipes: dict[str, Recipe] = {}
    report = DataReport()
    for path in paths:
        report.files.append(_read_file(str(path), recipes))
    if not recipes:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in report.dropped_by_reason.items())
        names = ", ".join(map(str, paths)) or "no file was given"
        raise DataError(
            f"No recipe to learn from: {names}", f"Rows read: {report.rows_read}. Dropped: {reasons or 'none'}."
        )
    kept = list(recipes.values())
    report.lengths = {
        "ingredients": Spread.of([sum(not item.heading for item in recipe.ingredients) for recipe in kept]),
        "steps": Spread.of([len(recipe.steps) for recipe in kept]),
        "characters": Spread.of([_characters(recipe) for recipe in kept]),
    }
    return kept, report


def require_files(paths: Sequence[str | Path]) -> None:
    """Check that every file is there and has its columns, before anything expensive is begun.

    Raises:
        RecipeFileNotFound, DataError: as `read_recipes`.
    """
    for path in map(str, paths):
        text, _ = decode(read_bytes(path))
        _find_layout(split_lines(text), path)


def _characters(recipe: Recipe) -> int:
    return sum(map(len, (recipe.title, *(item.raw for item in recipe.ingredients), *recipe.steps)))


def _read_file(path: str, recipes: dict[str, Recipe]) -> FileReport:
    """Add the recipes of one file to ``recipes`` (by id) and account for every other row."""
    raw = read_bytes(path)
    text, encoding = decode(raw)
    lines = split_lines(text)
    layout = _find_layout(lines, path)
    report = FileReport(
        path=path,
        sha256=hashlib.sha256(raw).hexdigest(),
        bytes=len(raw),
        encoding=encoding,
        delimiter=layout.delimiter,
        header=layout.header,
        columns={wanted: layout.header[index] for wanted, index in layout.columns.items()},
        ignored=[name for i, name in enumerate(layout.header) if name and i not in layout.columns.values()],
    )
    notes = _Notes()
    for row in _rows(lines, layout, notes):
        report.rows_read += 1
        recipe = _recipe(row, path, notes)
        if isinstance(recipe, Recipe) and recipe.id in recipes:
            first = recipes[recipe.id]
            recipe = DroppedRow(path, row.line, recipe.title, f"{DUPLICATE_OF}{first.file}:{first.line}")
        if isinstance(recipe, DroppedRow):
            report.dropped.append(recipe)
        else:
            recipes[recipe.id] = recipe
            report.rows_kept += 1
    report.warnings = notes.messages()
    return report


# ----------------------------------------------------------------------------------------------- text -> rows


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the file is laid out: its delimiter, and where in the header each wanted column is."""

    delimiter: str
    header: list[str]
    columns: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    fields: dict[str, str]  # wanted column -> its text as the file has it
    problem: str = ""  # why no recipe can be made of the fields


class _Notes:
    """Oddities met on the way, each with the lines where it was met."""

    def __init__(self) -> None:
        self._lines: dict[str, list[int]] = {}

    def add(self, line: int, oddity: str) -> None:
        lines = self._lines.setdefault(oddity, [])
        if line not in lines[-1:]:
            lines.append(line)

    def repaired(self, line: int, text: str) -> str:
        """The text repaired, and what was odd about it noted."""
        text, oddities = repair(text)
        for oddity in oddities:
            self.add(line, oddity)
        return text

    def messages(self) -> list[str]:
        return [
            f"{oddity}: {len(lines):,} {'row' if len(lines) == 1 else 'rows'}, at line {some(lines, 10)}"
            for oddity, lines in self._lines.items()
        ]


def _find_layout(lines: list[str], path: str) -> _Layout:
    """The delimiter under which the header names most of the wanted columns. Raises DataError if one is missing."""
    layouts = [_layout(lines, delimiter) for delimiter in DELIMITERS]
    best = max(layouts, key=lambda it: (len(it.columns.keys() & set(REQUIRED)), len(it.columns), len(it.header)))
    missing = [wanted for wanted in REQUIRED if wanted not in best.columns]
    if missing:
        raise DataError(*_missing_columns(path, best, missing))
    return best


def _layout(lines: list[str], delimiter: str) -> _Layout:
    record = next(records(lines, delimiter), None)
    header = [" ".join(repair(name)[0].split()) for name in (record.fields if record else [])]
    places = {bare(name): index for index, name in reversed(list(enumerate(header)))}
    columns: dict[str, int] = {}
    for wanted, synonyms in WORDS["columns"].items():
        found = [places[key] for key in map(bare, synonyms) if key in places]
        columns |= {wanted: found[0]} if found else {}
    return _Layout(delimiter, header, columns)


def _missing_columns(path: str, layout: _Layout, missing: list[str]) -> tuple[str, str]:
    shown = ", ".join("".join(filter(str.isprintable, name))[:40] for name in layout.header[:20])
    what = f"{path} has no column for {' and '.join(missing)}. Its header is: {shown or '(empty)'}"
    names = "; ".join(f"{wanted}: {', '.join(WORDS['columns'][wanted])}" for wanted in missing)
    how = f"Name the columns so ({names})."
    if len(layout.header) == 1:
        how += " Only one column was found: Koki knows the delimiters comma, semicolon, tab and |."
    elif any("--" in name for name in layout.header):
        how += " The first line looks like a recipe: is the header line missing?"
    return what, how


def _rows(lines: list[str], layout: _Layout, notes: _Notes) -> Iterator[_Row]:
    """The rows below the header; what is odd about their form goes into ``notes``."""
    needed = 1 + max(layout.columns[wanted] for wanted in REQUIRED)
    width = len(layout.header)
    for line, fields, unclosed in islice(records(lines, layout.delimiter), 1, None):
        if unclosed:
            notes.add(line, "a quotation mark is opened and never closed; read to the end of its line")
        if any(fields[width:]):
            notes.add(line, "more fields than the header; text may be in the wrong column")
        elif needed <= len(fields) < width:
            notes.add(line, "fewer fields than the header")
        found = {wanted: fields[index] for wanted, index in layout.columns.items() if index < len(fields)}
        if len(fields) < needed:
            yield _Row(line, found, "too few fields")
        elif max(map(len, found.values())) > LONGEST_FIELD:
            yield _Row(line, found, f"a field is longer than {LONGEST_FIELD:,} characters")
        else:
            yield _Row(line, found)


# ---------------------------------------------------------------------------------------- row -> recipe or not


def _recipe(row: _Row, path: str, notes: _Notes) -> Recipe | DroppedRow:
    if row.problem:
        title = clean_title(notes.repaired(row.line, row.fields.get("title", "")[:200]))
        return DroppedRow(path, row.line, title, row.problem)
    fields = {wanted: notes.repaired(row.line, text) for wanted, text in row.fields.items()}
    title = clean_title(fields["title"])
    lines = ingredient_lines(fields["ingredients"])
    steps = clean_steps(fields["steps"])
    problem = (
        ("" if title else "no title")
        or _nothing_in("ingredients", fields["ingredients"], lines)
        or _nothing_in("steps", fields["steps"], steps)
    )
    if problem:
        return DroppedRow(path, row.line, title, problem)
    return Recipe(
        id=_identity(title, lines, steps),
        title=title,
        ingredients=parse_ingredients(lines),
        steps=tuple(steps),
        loves=_count(fields.get("loves", "")),
        url=_optional(fields.get("url", "")),
        category=_optional(fields.get("category", "")),
        file=path,
        line=row.line,
    )


def _nothing_in(column: str, text: str, items: list[str]) -> str:
    if is_missing(text):
        return f"{column} are '{text.strip().casefold()}'"
    return "" if items else f"{column} are empty"


def _identity(title: str, lines: list[str], steps: list[str]) -> str:
    # \x1f and \x1e cannot occur in cleaned text, so no two recipes run into the same string.
    content = "\x1e".join("\x1f".join(part) for part in ([title], lines, steps)).casefold()
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _count(text: str) -> int | None:
    """``12`` and ``12.0`` (as pandas writes a column with gaps) are 12; anything else is no count."""
    number = re.fullmatch(r"\s*(\d{1,9})(?:\.0+)?\s*", text)
    return int(number[1]) if number else None


def _optional(text: str) -> str | None:
    cleaned = " ".join(text.split())
    return None if not cleaned or is_missing(cleaned) else cleaned
