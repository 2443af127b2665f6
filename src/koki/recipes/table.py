"""Recipe files -> Recipe objects and a report on every row that gave none.

The way of a file: bytes, text, lines, records (``decoding.py``); a table of the wanted columns (``formats.py``); clean
title, ingredient lines and steps (``cleaning.py``); recipe (here). Then the near-duplicates go
(``near_duplicates.py``).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from koki.errors import DataError
from koki.gc_paused import gc_paused
from koki.ingredients.parse import Ingredient, parse_ingredients
from koki.language import N_, _, ngettext
from koki.recipes.cleaning import clean_steps, clean_title, ingredient_lines, is_missing, repair
from koki.recipes.columns import REQUIRED, SEASONING, require_known
from koki.recipes.findings import Oddity, Reason
from koki.recipes.formats import Row, open_table, open_tables
from koki.recipes.item_rows import put_together
from koki.recipes.near_duplicates import near_duplicate_groups
from koki.recipes.recipe import Recipe, identity
from koki.recipes.report import DataReport, DroppedRow, FileReport, Spread, Warned
from koki.recipes.sequence import Recipes
from koki.recipes.sources import FileDigest, find_files
from koki.recipes.unsplit import Unsplit
from koki.recipes.values import written_out
from koki.workers import Helper, pays

MOST_USELESS: Final = 100_000
"""Rows of a file that may give no recipe, beyond as many as give one. Of 11,751 real rows 36 give none."""

WORTH_A_PROCESS: Final = 2_000_000
"""Bytes of files from which on a second process saves more than it takes to start (0.3 s)."""

# Ingredients that a recipe must have. Of 11,205 real recipes one has fewer: it only links to another recipe.
_LEAST_INGREDIENTS: Final = 2
# Words that all its steps together must have. "Campur semua" is a step, "Ready" is none; the shortest of 11,205 real
# recipes has seven.
_LEAST_WORDS: Final = 2
# Lines that are named of an oddity that many rows have.
_LINES_TOLD: Final = 10


class _Given(NamedTuple):
    """What a user says of the files, as `read_recipes` takes it."""

    columns: Mapping[str, str]
    items: Mapping[Any, str]
    sheet: str | None


def read_recipes(
    *paths: str | Path,
    columns: Mapping[str, str] | None = None,
    items: Mapping[Any, str] | None = None,
    sheet: str | None = None,
) -> Recipes:
    """Read recipe files, in order, each recipe once.

    Args:
        paths: files, or patterns such as ``data/*.csv``.
        columns: wanted field ("title", "ingredients", "steps" ...) -> the name of its column, where it is none of the
            usual ones. Every file must have these columns.
        items: "ingredients", "steps" -> what separates these in a text, where it is not found.
        sheet: the sheet of a workbook to read; None is each that has the columns. Every file must have it.

    Raises:
        RecipeFileNotFound: a file is missing, or no file matches a pattern.
        DataError: a path is not a readable file, a file lacks a column or the sheet, or no recipe is left.

    >>> from koki import read_recipes
    >>> recipes = read_recipes("resep.csv", columns={"title": "Nama Masakan"})
    >>> recipes[0].title
    'Soto Ayam'
    >>> recipes.report.dropped_by_reason
    {}
    """
    recipes: dict[str, Recipe] = {}
    report = DataReport()
    require_known(columns or {})
    with gc_paused():
        given = _Given(columns or {}, items or {}, sheet)
        for file, found in _read_files(find_files(paths), given):
            report.files.append(file)
            _add(found, recipes, file)
        kept = _without_near_duplicates(list(recipes.values()), report)
    if not kept:
        names = ", ".join(map(str, paths)) or _("no file was given")
        raise DataError(_("No recipe to learn from: {names}", names=names), _why_none(report))
    report.lengths = {
        N_("ingredients"): Spread.of([sum(not item.heading for item in recipe.ingredients) for recipe in kept]),
        N_("steps"): Spread.of([len(recipe.steps) for recipe in kept]),
        N_("characters"): Spread.of([_characters(recipe) for recipe in kept]),
    }
    return Recipes(kept, report)


def _why_none(report: DataReport) -> str:
    """What became of the rows, where none gave a recipe."""
    dropped = report.dropped_by_reason
    reasons = ", ".join(f"{_(reason)} ({count})" for reason, count in dropped.items()) or _("none")
    said = _("Rows read: {count}. Dropped: {reasons}.", count=report.rows_read, reasons=reasons)
    if perhaps := [f"{warning}." for file in report.files for warning in file.warnings if warning.option]:
        return " ".join((said, *perhaps))
    for reason, how in _IN_MANY_ROWS.items():
        if 2 * dropped.get(reason, 0) > report.rows_read:
            rows = ngettext("{count:,} row", "{count:,} rows", dropped[reason])
            return f"{said} {_(how, rows=rows)}"
    return said


_IN_MANY_ROWS: Final = {
    Reason.NO_TITLE: N_(
        "{rows} without a title: is this one ingredient a row? Then write the title into each row of its recipe."
    ),
    Reason.FEW_INGREDIENTS: N_(
        "{rows} with one ingredient: is this one ingredient a row? Then write the title into each row of a recipe. "
        "Ingredients within a cell are separated by --, new lines or numbers."
    ),
}


def require_files(
    *paths: str | Path, columns: Mapping[str, str] | None = None, sheet: str | None = None
) -> list[FileDigest]:
    """Check that every file is there and has its columns, before anything expensive is begun.

    Returns:
        The digest of each file as it was read here, in order.

    Raises:
        RecipeFileNotFound, DataError: as `read_recipes`.
    """
    require_known(columns or {})
    files = find_files(paths)
    tables = open_tables(files, columns or {}, sheet)
    return [FileDigest(path, table.sha256) for path, table in zip(files, tables, strict=True)]


def _characters(recipe: Recipe) -> int:
    return sum(map(len, (recipe.title, *(item.raw for item in recipe.ingredients), *recipe.steps)))


def _read_files(paths: Sequence[str], given: _Given) -> Iterator[tuple[FileReport, list[Recipe]]]:
    """What `_read_file` gives of each file; large files are read by two processes."""
    here, there = two_halves(paths)
    if not there:
        yield from (_read_file(path, given) for path in here)
        return
    with Helper(_read_all, there, given) as helper:
        yield from _read_all(here, given)
        yield from helper


def two_halves(paths: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The files to read in this process and those for a second one, in order; none for it where it would not pay."""
    try:
        sizes = [Path(path).stat().st_size for path in paths]
    except (OSError, ValueError):  # reading it will say what is wrong
        return paths, ()
    if not pays(sum(sizes), WORTH_A_PROCESS):
        return paths, ()
    here = 1
    while here < len(paths) and 2 * sum(sizes[: here + 1]) <= sum(sizes) + sizes[here]:
        here += 1
    return paths[:here], paths[here:]


def _read_all(paths: Sequence[str], given: _Given) -> list[tuple[FileReport, list[Recipe]]]:
    return [_read_file(path, given) for path in paths]


def _add(found: Sequence[Recipe], recipes: dict[str, Recipe], file: FileReport) -> None:
    """Add the recipes of a file to those before (by id), each once."""
    for recipe in found:
        if recipe.id in recipes:
            file.dropped.append(_dropped(recipe, Reason.DUPLICATE, recipes[recipe.id]))
        else:
            recipes[recipe.id] = recipe
            file.rows_kept += 1


def _read_file(path: str, given: _Given) -> tuple[FileReport, list[Recipe]]:
    """The report on one file, which accounts for every row, and its recipes."""
    table = put_together(open_table(path, given.columns, given.sheet))
    report = FileReport(
        path=path,
        sha256=table.sha256,
        bytes=table.bytes,
        encoding=table.encoding,
        delimiter=table.delimiter,
        header=table.header,
        columns={wanted: table.header[place] for wanted, place in table.columns.items()},
        ignored=[name for i, name in enumerate(table.header) if name and i not in table.columns.values()],
        sheets=[*table.sheets],
        sheets_unread=[*table.sheets_unread],
    )
    notes = _Notes()
    recipes: list[Recipe] = []
    for row in table.rows:
        report.rows_read += 1
        recipe = _recipe(row, path, notes, given.items)
        if isinstance(recipe, DroppedRow):
            report.dropped.append(recipe)
            _require_use(report, len(recipes))
        else:
            recipes.append(recipe)
    report.warnings = notes.warnings()
    return report, recipes


def _require_use(report: FileReport, recipes: int) -> None:
    """Check that the file, as far as it was read, is one of recipes: few megabytes hold a million useless rows."""
    useless = len(report.dropped)
    if useless > MOST_USELESS + recipes:
        reason, count = Counter(row.reason for row in report.dropped).most_common(1)[0]
        raise DataError(
            _(
                "{path}: up to line {line:,}, {useless:,} rows give no recipe and {recipes:,} do; {reason}: {count:,}.",
                path=report.path,
                line=report.dropped[-1].line,
                useless=useless,
                recipes=recipes,
                reason=_(reason),
                count=count,
            ),
            _("Is it a file of recipes, and are its columns the right ones (--columns)? Take out what is no recipe."),
        )


def _without_near_duplicates(recipes: list[Recipe], report: DataReport) -> list[Recipe]:
    """The first of each group and all that are in none; the report counts the others as dropped."""
    files = {file.path: file for file in reversed(report.files)}  # a file that is named twice gave them the first time
    gone: set[int] = set()
    for first, *others in near_duplicate_groups(recipes):
        gone.update(others)
        for place in others:
            file = files[recipes[place].file]
            file.dropped.append(_dropped(recipes[place], Reason.NEAR_DUPLICATE, recipes[first]))
            file.rows_kept -= 1
    for file in report.files:
        file.dropped.sort(key=lambda row: (row.sheet and file.sheets.index(row.sheet), row.line))
    return [recipe for place, recipe in enumerate(recipes) if place not in gone]


def _dropped(recipe: Recipe, reason: Reason, kept: Recipe) -> DroppedRow:
    return DroppedRow(recipe.file, recipe.line, recipe.title, reason, kept.place, recipe.sheet)


class _Notes:
    """The oddities of a file, each with the lines that have it, sheet by sheet."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, Oddity], list[int]] = {}
        self.unsplit: defaultdict[str, Unsplit] = defaultdict(Unsplit)

    def add(self, row: Row, oddity: Oddity) -> None:
        lines = self._lines.setdefault((row.sheet, oddity), [])
        if row.line not in lines[-1:]:
            lines.append(row.line)

    def repaired(self, row: Row, text: str) -> str:
        """The text, of this row, repaired; what was odd about it is noted."""
        text, oddities = repair(text)
        for oddity in oddities:
            self.add(row, oddity)
        return text

    def warnings(self) -> list[Warned]:
        """The oddities of rows, then what most rows of the file, or of a sheet, have in common."""
        of_rows = (Warned(odd, len(at), at[:_LINES_TOLD], sheet) for (sheet, odd), at in self._lines.items())
        of_most = (
            Warned(odd, len(at), at[:_LINES_TOLD], sheet, option)
            for sheet, unsplit in self.unsplit.items()
            for odd, at, option in unsplit.found()
        )
        return [*of_rows, *of_most]


# ---------------------------------------------------------------------------------------- row -> recipe or not


def _recipe(row: Row, path: str, notes: _Notes, items: Mapping[str, str]) -> Recipe | DroppedRow:
    for oddity in row.oddities:
        notes.add(row, oddity)
    if row.problem:
        title = clean_title(notes.repaired(row, row.fields.get("title", "")[:200]))
        return DroppedRow(path, row.line, title, row.problem, sheet=row.sheet)
    read = {wanted: notes.repaired(row, written_out(text)) for wanted, text in row.fields.items()}
    fields = dict.fromkeys(REQUIRED, "") | read
    title = clean_title(fields["title"])
    lines = ingredient_lines(fields["ingredients"], items.get("ingredients"))
    if seasoning := ingredient_lines(fields.get("seasoning", ""), items.get("ingredients")):
        lines += [f"{SEASONING}:", *seasoning]
    ingredients = parse_ingredients(lines)
    steps = clean_steps(fields["steps"], items.get("steps"))
    if ingredients and steps:
        notes.unsplit[row.sheet].look_at(row.line, (fields["ingredients"], fields["steps"]), ingredients, steps)
    problem = (
        (None if title else Reason.NO_TITLE)
        or _nothing_in("ingredients", fields["ingredients"], lines)
        or _nothing_in("steps", fields["steps"], steps)
        or _too_few(ingredients, steps)
    )
    if problem:
        return DroppedRow(path, row.line, title, problem, sheet=row.sheet)
    return Recipe(
        id=identity(title, lines, steps),
        title=title,
        ingredients=ingredients,
        steps=tuple(steps),
        loves=_count(fields.get("loves", "")),
        url=_optional(fields.get("url", "")),
        category=_optional(fields.get("category", "")),
        file=path,
        line=row.line,
        sheet=row.sheet,
    )


def _nothing_in(column: str, text: str, items: list[str]) -> Reason | None:
    if items:
        return None
    return Reason(f"{column} are 'nan' or the like" if is_missing(text) else f"{column} are empty")


def _too_few(ingredients: Sequence[Ingredient], steps: Sequence[str]) -> Reason | None:
    """A line may name several ingredients: "garam dan gula" are two."""
    first = islice((item for item in ingredients if not item.heading), _LEAST_INGREDIENTS)
    if sum(1 + len(item.others) for item in first) < _LEAST_INGREDIENTS:
        return Reason.FEW_INGREDIENTS
    return Reason.FEW_STEPS if len(" ".join(steps).split(maxsplit=_LEAST_WORDS)) < _LEAST_WORDS else None


_COUNT: Final = re.compile(r"\s*(\d{1,9})(?:\.0+)?\s*")


def _count(text: str) -> int | None:
    """``12`` and ``12.0`` (as pandas writes a column with gaps) are 12; anything else is no count."""
    number = _COUNT.fullmatch(text)
    return int(number[1]) if number else None


def _optional(text: str) -> str | None:
    cleaned = " ".join(text.split())
    return None if not cleaned or is_missing(cleaned) else cleaned
