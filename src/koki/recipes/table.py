"""Recipe files -> Recipe objects and a report on every row that gave none.

The way of a file: bytes, text, lines, records (``decoding.py``); a table of the wanted columns (``formats.py``); rows
that are parsed together, side by side, into clean titles, ingredient lines and steps, and recipes (``parsing.py``).
All recipes go to the disk (``stored.py``), each once; then the near-duplicates go (``near_duplicates.py``).
"""

import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np

from koki.errors import DataError
from koki.files import discard
from koki.gc_paused import gc_paused
from koki.language import N_, _, ngettext
from koki.progress import stage
from koki.recipes.columns import require_known
from koki.recipes.findings import Reason
from koki.recipes.formats import Row, Table, open_tables
from koki.recipes.item_rows import put_together
from koki.recipes.near_duplicates import Integers, NearDuplicates
from koki.recipes.parsing import Notes, ParsedRows, Parser, SomeRows, label_of
from koki.recipes.recipe import Recipe, place_of
from koki.recipes.report import DataReport, DroppedRow, FileReport, Spread
from koki.recipes.sequence import Recipes
from koki.recipes.sources import FileDigest, find_files
from koki.recipes.stored import RecipeHolder, RecipeWriter, StoredRecipes, some_of
from koki.user_cache import remove_abandoned, user_cache_folder
from koki.workers import Workers

MOST_USELESS: Final = 100_000
"""Rows of a file that may give no recipe, beyond as many as give one. Of 11,751 real rows 36 give none."""

ROWS_AT_ONCE: Final = 2_048
"""Rows that are parsed together, by one process: in about a second. No more than these are read in this process, and
their recipes held in memory."""

_READING: Final = "reading-"
# Characters that are parsed together, at most: of long rows there are fewer.
_CHARACTERS_AT_ONCE: Final = 2**23


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
        WorkerError: one of the processes that read many recipes died.

    >>> from koki import read_recipes
    >>> recipes = read_recipes("resep.csv", columns={"title": "Nama Masakan"})
    >>> recipes[0].title
    'Soto Ayam'
    >>> recipes.report.dropped_by_reason
    {}
    """
    reading = _Reading(find_files(paths), columns or {}, sheet)
    if reading.is_small:
        return _read(reading, items or {}, None)
    folder = _work_folder()
    try:
        recipes = _read(reading, items or {}, folder)
    except BaseException:
        discard(folder)
        raise
    assert isinstance(recipes.kept, StoredRecipes)
    recipes.kept.remove_after_use(folder)
    return recipes


def read_into(
    folder: Path,
    *paths: str | Path,
    columns: Mapping[str, str] | None = None,
    items: Mapping[Any, str] | None = None,
    sheet: str | None = None,
) -> Recipes:
    """Read recipe files as `read_recipes` does, by way of a folder, where all but a few recipes stay.

    What was made of these files before, until something stopped it, is found in the folder and not made again.

    Args:
        folder: is there, for these files and settings and this version of Koki alone. The recipes can be read as long
            as it is there.

    Raises:
        RecipeFileNotFound, DataError: as `read_recipes`.
        WorkerError: a process that parsed some rows died.
        OSError: the folder cannot be written.
    """
    reading = _Reading(find_files(paths), columns or {}, sheet)
    return _read(reading, items or {}, None if reading.is_small else folder)


def _read(reading: "_Reading", items: Mapping[Any, str], folder: Path | None) -> Recipes:
    """The recipes of all rows; without a folder they are read in this process, and held in memory."""
    rows: Path | None = None
    kept: RecipeHolder | RecipeWriter = RecipeHolder()
    if folder is not None:
        rows, kept = folder / "rows", RecipeWriter(folder / "recipes")
        rows.mkdir(exist_ok=True)
        shutil.rmtree(folder / "prints", ignore_errors=True)  # of recipes that were not read to the end
    near = NearDuplicates(folder / "prints" if folder else Path())  # those of a few are in no file
    with gc_paused(), Workers(partial(Parser, items, rows), None if folder else 1) as workers:
        account = _Account(reading.reports, kept, near)
        with kept, stage(_("Reading recipes")) as advance:
            for parsed in workers.map(Parser.parse, reading, label_of):
                account.add(parsed)
                advance(parsed.rows, reading.expected(account.rows))
        lengths, recipes = account.finish(), kept.recipes()
        places = _without_near_duplicates(recipes, near.groups(recipes, workers), reading.reports)
    report = DataReport(reading.reports)
    if not len(places):
        names = ", ".join(reading.paths) or _("no file was given")
        raise DataError(_("No recipe to learn from: {names}", names=names), _why_none(report))
    report.lengths = dict(zip(_LENGTHS, map(Spread.of, lengths[places].T.tolist()), strict=True))
    return Recipes(some_of(recipes, places), report)


_LENGTHS: Final = (N_("ingredients"), N_("steps"), N_("characters"))


def _work_folder() -> Path:
    """A new folder for what does not fit in memory, in the user's cache: the system's own may lie in memory."""
    cache = user_cache_folder()
    with suppress(OSError):
        if cache is not None:
            cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            remove_abandoned(cache, f"{_READING}*")
            return Path(tempfile.mkdtemp(prefix=_READING, dir=cache))
    return Path(tempfile.mkdtemp(prefix="koki-"))


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
        The digest of each file as it was read here, one at a time, in order.

    Raises:
        RecipeFileNotFound, DataError: as `read_recipes`.
    """
    require_known(columns or {})
    files = find_files(paths)
    tables = open_tables(files, columns or {}, sheet)
    return [FileDigest(path, table.sha256) for path, table in zip(files, tables, strict=True)]


class _Reading:
    """Reads files: their rows, some at a time; the report on each file is begun when its rows are.

    Attributes:
        reports: on the files begun.
        paths: of the files.
        is_small: whether all rows of all files are no more than what is parsed together.
    """

    def __init__(self, paths: Sequence[str], columns: Mapping[str, str], sheet: str | None) -> None:
        require_known(columns)
        self.paths, self._columns, self._sheet = paths, columns, sheet
        self.reports: list[FileReport] = []
        self._some, self._first = self._read(), list[SomeRows]()
        while (is_small := self._are_few()) and (some := next(self._some, None)):
            self._first.append(some)
        self.is_small = is_small

    def __iter__(self) -> Iterator[SomeRows]:
        return chain(self._first, self._some)

    def _are_few(self) -> bool:
        rows = [row for some in self._first for row in some.rows]
        return len(rows) <= ROWS_AT_ONCE and sum(map(_characters, rows)) <= _CHARACTERS_AT_ONCE

    def expected(self, rows: int) -> int | None:
        """How many rows all files have, if so many have been read and the others are as long; None if unknown."""
        table = self._table
        done = sum(report.bytes for report in self.reports) - table.bytes + table.consumed()
        sizes = map(_size, self.paths[len(self.reports) :])
        left = table.bytes - table.consumed() + sum(sizes)
        return rows + rows * left // done if done else None

    def _read(self) -> Iterator[SomeRows]:
        tables = open_tables(self.paths, self._columns, self._sheet)
        for file, (path, table) in enumerate(zip(self.paths, map(put_together, tables), strict=True)):
            self.reports.append(_begun(path, table))
            self._table = table
            for number, rows in enumerate(_some_at_a_time(table.rows)):
                yield SomeRows(f"{file:04}-{table.sha256}-{number:06}", file, path, rows)


def _size(path: str) -> int:
    """The bytes of a file; 0 where that is not known yet."""
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):
        return 0


def _begun(path: str, table: Table) -> FileReport:
    return FileReport(
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


def _some_at_a_time(rows: Iterator[Row]) -> Iterator[list[Row]]:
    some: list[Row] = []
    characters = 0
    for row in rows:
        some.append(row)
        characters += _characters(row)
        if len(some) == ROWS_AT_ONCE or characters > _CHARACTERS_AT_ONCE:
            yield some
            some, characters = [], 0
    if some:
        yield some


def _characters(row: Row) -> int:
    return sum(map(len, row.fields.values()))


class _Account:
    """What has become of the rows so far: recipes, each once, which are kept, and reports on the files.

    Attributes:
        rows: how many there have been, of all files.
    """

    def __init__(self, reports: Sequence[FileReport], kept: RecipeHolder | RecipeWriter, near: NearDuplicates) -> None:
        self._reports, self._kept, self._near = reports, kept, near
        self.rows = 0
        self._numbers: dict[str, int] = {}  # by id
        self._places: list[tuple[int, int, str]] = []  # the file, line and sheet of each
        self._lengths = [np.empty((0, 3), np.int64)]
        self._notes: defaultdict[int, Notes] = defaultdict(Notes)
        self._recipes: Counter[int] = Counter()  # by file; those that repeat another too
        self._useless: defaultdict[int, Counter[Reason]] = defaultdict(Counter)

    def add(self, parsed: ParsedRows) -> None:
        """Take in what some rows gave, behind all before.

        Raises:
            DataError: too many rows of the file give no recipe.
        """
        report = self._reports[parsed.file]
        self._drop(parsed, report)
        report.rows_read += parsed.rows
        self.rows += parsed.rows
        self._recipes[parsed.file] += len(parsed.ids)
        self._notes[parsed.file].join(parsed.notes)
        are_new = np.fromiter((self._is_new(parsed, at) for at in range(len(parsed.ids))), np.bool_, len(parsed.ids))
        report.rows_kept += int(are_new.sum())
        self._kept.append(parsed.recipes.where(are_new))
        self._near.add(parsed.prints.where(are_new))
        self._lengths.append(parsed.lengths[are_new])

    def finish(self) -> Integers:
        """Tell what is odd about the files; returns the lengths of all recipes, shape (recipes, 3)."""
        for file, notes in self._notes.items():
            self._reports[file].warnings = notes.warnings()
        return np.concatenate(self._lengths)

    def _drop(self, parsed: ParsedRows, report: FileReport) -> None:
        """Take in the rows that give no recipe, as long as they are not most of those before."""
        useless = self._useless[parsed.file]
        for before, (place, row) in enumerate(parsed.dropped):
            report.dropped.append(row)
            useless[row.reason] += 1
            recipes = self._recipes[parsed.file] + place - before
            if useless.total() > MOST_USELESS + recipes:
                raise _no_recipes(row, useless, recipes)

    def _is_new(self, parsed: ParsedRows, at: int) -> bool:
        """Whether no recipe before is the same; one that repeats another is told as dropped."""
        line, sheet = parsed.places[at]
        number = self._numbers.setdefault(parsed.ids[at], len(self._numbers))
        if number == len(self._places):
            self._places.append((parsed.file, line, sheet))
            return True
        file, first_line, first_sheet = self._places[number]
        first = place_of(self._reports[file].path, first_sheet, first_line)
        report = self._reports[parsed.file]
        report.dropped.append(DroppedRow(report.path, line, parsed.titles[at], Reason.DUPLICATE, first, sheet))
        return False


def _no_recipes(row: DroppedRow, useless: Counter[Reason], recipes: int) -> DataError:
    """Few megabytes hold a million useless rows, which are no file of recipes."""
    reason, most = useless.most_common(1)[0]
    return DataError(
        _(
            "{path}: up to line {line:,}, {useless:,} rows give no recipe and {recipes:,} do; {reason}: {count:,}.",
            path=row.file,
            line=row.line,
            useless=useless.total(),
            recipes=recipes,
            reason=_(reason),
            count=most,
        ),
        _("Is it a file of recipes, and are its columns the right ones (--columns)? Take out what is no recipe."),
    )


def _without_near_duplicates(
    recipes: Sequence[Recipe], groups: Iterable[Sequence[int]], reports: Sequence[FileReport]
) -> Integers:
    """The places of the first of each group and of all that are in none; the reports count the others as dropped."""
    files = {file.path: file for file in reversed(reports)}  # a file that is named twice gave them the first time
    is_kept = np.ones(len(recipes), np.bool_)
    for first, *others in groups:
        for place in others:
            recipe, is_kept[place] = recipes[place], False
            file = files[recipe.file]
            row = DroppedRow(
                recipe.file, recipe.line, recipe.title, Reason.NEAR_DUPLICATE, recipes[first].place, recipe.sheet
            )
            file.dropped.append(row)
            file.rows_kept -= 1
    for file in reports:
        file.dropped.sort(key=lambda row: (row.sheet and file.sheets.index(row.sheet), row.line))
    return np.flatnonzero(is_kept)
