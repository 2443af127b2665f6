"""A file of any format -> a table: its header, which column holds what, and rows of text.

Workbooks (``.xlsx``, ``.ods``) and Parquet; and as text in any encoding, compressed with gzip or not: CSV under any
delimiter, JSON Lines (``.jsonl``, ``.ndjson``), JSON, web pages with JSON-LD, and plain text. The rows of CSV, JSON
Lines and Parquet are a stream: a file of any size takes the same memory.
"""

import csv
import difflib
import json
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from copy import copy
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, islice, repeat, tee
from pathlib import Path
from typing import Any, Final

from koki.errors import DataError
from koki.language import N_, _
from koki.recipes.cleaning import repair
from koki.recipes.columns import REQUIRED, find_columns, require_columns
from koki.recipes.decoding import LONGEST_ROW, lines_of, records
from koki.recipes.file_kinds import is_archive, require_no_sql, require_text_or_table, require_workbook
from koki.recipes.findings import Oddity, Reason
from koki.recipes.json_documents import documents_in, is_document, is_web_page, keys_of, objects, parse_document
from koki.recipes.parquet import ParquetRows
from koki.recipes.plain_text import text_recipes
from koki.recipes.sources import Source, surveyed
from koki.recipes.values import text_of
from koki.recipes.workbook import Workbook

LONGEST_FIELD: Final = 20_000
"""Characters of a field. The longest in 11,751 real rows has 3,231; one of more than this is damaged."""

_DELIMITERS: Final = (",", ";", "\t", "|")
# Columns of a file. Recipe files have three to six; a line with more than this is no header.
_MOST_COLUMNS: Final = 1_000
# Characters of a column's name that are looked at.
_LONGEST_NAME: Final = 200
# Characters of the first line.
_LONGEST_HEADER: Final = _MOST_COLUMNS * _LONGEST_NAME
# Rows at the top of a table that may stand above its header: a title, a date, notes.
_MOST_ABOVE: Final = 20
# Lines of JSON Lines that can be no recipes, beyond as many as can, until no more keys are looked for.
_MOST_POOR: Final = 1_000_000
# Characters of a line of JSON, which may take thirty times as much memory once it is parsed.
_LONGEST_JSON: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """A row below the header.

    Attributes:
        line: the physical line on which it starts, from 1; the row of a sheet; the number of an object, from 1, in
            formats that have no lines.
        fields: wanted field -> its text as the file has it.
        problem: why no recipe can be made of the fields; None if one can be tried.
        oddities: what is strange about its form.
        sheet: of a workbook; empty for other files.
    """

    line: int
    fields: dict[str, str]
    problem: Reason | None = None
    oddities: tuple[Oddity, ...] = ()
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A file as a table. The rows can be gone through once.

    Attributes:
        encoding: of the text, with the format where it is not CSV.
        delimiter: empty for a format that has none.
        columns: wanted field -> its place in the header, which is that of the first sheet.
        sheets: those of a workbook that are read, and those that are not.
        sha256: of the file, 64 hex digits.
        bytes: of the file.
        consumed: how many of them were read for the rows so far.
    """

    encoding: str
    delimiter: str
    header: list[str]
    columns: dict[str, int]
    rows: Iterator[Row]
    sheets: Sequence[str] = ()
    sheets_unread: Sequence[str] = ()
    sha256: str = ""
    bytes: int = 0
    consumed: Callable[[], int] = lambda: 0


def open_table(path: str, given: Mapping[str, str], sheet: str | None = None) -> Table:
    """Make a table of a file. Its rows are read when they are asked for.

    Args:
        path: errors name it; its suffix tells the format where the content does not.
        given: wanted field -> name of its column, where the user says so.
        sheet: the one of a workbook to read; None is each that has the columns, but for hidden ones.

    Raises:
        RecipeFileNotFound: there is no such file.
        DataError: it cannot be read, the content is damaged or of another kind, a column or the sheet is missing, or
            pyarrow is needed and missing. While rows are read: one is too long, or the file has changed.
    """
    return _table(Source(path), given, sheet)


def open_tables(
    paths: Iterable[str], given: Mapping[str, str], sheet: str | None = None
) -> Generator[Table, None, None]:
    """What `open_table` makes of each file, in order; the next files are surveyed while the rows of one are read.

    Raises:
        RecipeFileNotFound, DataError: as `open_table`, in the turn of the file.
    """
    with closing(surveyed(paths)) as sources:
        for source in sources:
            yield _table(source, given, sheet)


def _table(source: Source, given: Mapping[str, str], sheet: str | None) -> Table:
    table = _workbook(source, given, sheet) if is_archive(source) else _no_workbook(source, given, sheet)
    return replace(table, sha256=source.sha256, bytes=source.bytes, consumed=lambda: source.consumed)


def _no_workbook(source: Source, given: Mapping[str, str], sheet: str | None) -> Table:
    path = source.path
    if sheet is not None:
        raise DataError(
            _("{path} is no workbook and has no sheet {sheet!r}.", path=path, sheet=sheet),
            _("Leave out --sheet (data.sheet)."),
        )
    suffix = Path(path.casefold().removesuffix(".gz")).suffix
    if suffix == ".parquet" or source.head.startswith(b"PAR1"):
        return _parquet(source, given)
    if source.is_blank:
        raise DataError(_("{path} is empty.", path=path), _("It needs a header line and one line for each recipe."))
    if source.head.startswith(b"PK\x03\x04"):
        raise DataError(
            _("{path} is a workbook or zip archive, compressed once more.", path=path), _("Unpack it first (gunzip).")
        )
    require_text_or_table(source)
    start = source.start(20_000)
    require_no_sql(start, path)
    if is_web_page(start):
        return _documents(documents_in(source.whole_text(), path), path, given, _called(source, "web page"))
    is_json = suffix in {".json", ".jsonl", ".ndjson"} or is_document(start)
    return (is_json and _json(source, suffix, given)) or _lines(source, suffix, given)


def _called(source: Source, kind: str = "") -> str:
    """How the report names the encoding and the format."""
    encoding, packing = source.encoding.name, ", gzip" if source.is_packed else ""
    return f"{encoding} ({kind}{packing})" if kind else f"{encoding}{packing}"


def _json(source: Source, suffix: str, given: Mapping[str, str]) -> Table | None:
    """The table of a document, or of JSON Lines; None for a text that is neither and is not called JSON."""
    first, is_all = _first_line(source.texts())
    has_object = isinstance(_object(first), dict)
    # no document has an object in its first line and more behind it
    if (has_object and not is_all) if suffix == ".json" else (has_object or not is_document(source.start(1_000))):
        return _json_lines(source, given)
    text = source.whole_text()
    try:
        document = parse_document(text, source.path)
    except DataError:
        if suffix == ".json":
            raise
        return None
    return _documents([document], source.path, given, _called(source, "JSON"))


def _first_line(texts: Iterator[str]) -> tuple[str, bool]:
    """The first line of JSON that is not blank, and whether nothing follows; of a line that is too long, its start."""
    line = end = rest = ""
    for text in texts:
        line, end, rest = (line + text).lstrip("\ufeff \t\r\n").partition("\n")
        if end or len(line) > _LONGEST_JSON:
            break
    return line, not any(text.strip(" \t\r\n") for text in chain([rest], texts))


def _lines(source: Source, suffix: str, given: Mapping[str, str]) -> Table:
    """The table of a CSV, or of the recipes in plain text."""
    with closing(source.lines()) as lines:
        head = tee(_first_ones(lines), 1)[0]  # what is read of it can be read again, by a copy
        try:
            return _delimited(source, head, given)
        except DataError as error:
            said = error
        first = next(copy(head), "")
    is_text = suffix in {".txt", ".md"}
    if (is_text or source.is_small) and (table := _plain_text(source)):
        return table
    if is_text and not any(find_columns(_names(first, it), given) for it in _DELIMITERS):
        raise DataError(_("{path} is a text in which no recipe was found.", path=source.path), _(_TEXT_FORM))
    raise said


def _first_ones(lines: Iterable[str]) -> Iterator[str]:
    """Those that may have the header: as many as two rows may have characters."""
    left = 2 * LONGEST_ROW
    for line in lines:
        yield line
        left -= len(line)
        if left < 0:
            return


_TEXT_FORM: Final = N_(
    "A recipe has its title in a line, then a line that says Bahan and the ingredients, a line each, then a line that "
    "says Cara membuat and the steps. A table needs a header line."
)


def _plain_names(names: Sequence[str]) -> list[str]:
    return [" ".join(repair(name[:_LONGEST_NAME])[0].split()) for name in names]


_HEADER: Final = N_("It should name title, ingredients and steps, and little else.")


def _has_all(columns: Mapping[str, int], given: Mapping[str, str]) -> bool:
    return columns.keys() >= {*REQUIRED, *given}


def _require_few(columns: int, path: str) -> None:
    if columns > _MOST_COLUMNS:
        raise DataError(
            _("{path} has more than {most_columns:,} columns.", path=path, most_columns=_MOST_COLUMNS), _(_HEADER)
        )


def _row(line: int, fields: dict[str, str], problem: Reason | None, oddities: Iterable[Oddity] = ()) -> Row:
    if not problem and max(map(len, fields.values()), default=0) > LONGEST_FIELD:
        problem = Reason.LONG_FIELD
    return Row(line, fields, problem, tuple(oddities))


# ----------------------------------------------------------------------------------------------------------- CSV


_SEPARATOR: Final = re.compile(r'\ufeff?"?sep=(.)"?[;,\s]*', re.IGNORECASE)


def _delimited(source: Source, head: Iterator[str], given: Mapping[str, str]) -> Table:
    """Read with the delimiter that the file names, or the one under which the header has most of the wanted columns.

    Args:
        head: the first lines; it can be copied, and is not gone through.
    """
    top, first = next(((place, line) for place, line in enumerate(copy(head)) if not line.isspace()), (0, ""))
    if len(first) > _LONGEST_HEADER:
        raise DataError(
            _(
                "The first line of {path} has more than {longest_header:,} characters.",
                path=source.path,
                longest_header=_LONGEST_HEADER,
            ),
            _(_HEADER),
        )
    delimiters: Sequence[str] = _DELIMITERS
    start = 0
    if named := _SEPARATOR.fullmatch(first.rstrip("\r\n")):  # Excel's own line above the header
        delimiters, start = named[1], top + 1
    tables = [_split_at(it, source, head, start, given) for it in delimiters]
    best = max(tables, key=lambda it: (len(it.columns.keys() & {*REQUIRED, *given}), len(it.columns), len(it.header)))
    if not _has_all(best.columns, given):
        for place, delimiter in _headers_below(_from(start, copy(head)), given, delimiters):
            return _split_at(delimiter, source, head, place, given)
    require_columns(source.path, best.header, best.columns, given)
    return best


def _from(place: int, lines: Iterable[str]) -> Iterator[str]:
    """The lines from a place on, with blank ones before it, so that their numbers stay."""
    return chain(repeat("\n", place), islice(lines, place, None))


def _headers_below(
    lines: Iterable[str], given: Mapping[str, str], delimiters: Sequence[str]
) -> Iterator[tuple[int, str]]:
    """Where a line below the first one names all wanted columns, and under which delimiter."""
    for place, line in enumerate(islice(lines, _MOST_ABOVE)):
        for delimiter in delimiters:
            if _has_all(find_columns(_names(line, delimiter), given), given):
                yield place, delimiter


def _names(line: str, delimiter: str) -> list[str]:
    # csv takes no field of more than 131,072 characters, unless it is told so
    names = next(csv.reader([line[: _LONGEST_HEADER // 2]], delimiter=delimiter), [])
    return _plain_names(names[:_MOST_COLUMNS])


def _split_at(delimiter: str, source: Source, head: Iterator[str], start: int, given: Mapping[str, str]) -> Table:
    record = next(records(_from(start, copy(head)), delimiter, source.path), None)
    names = record.fields if record else []
    _require_few(len(names), source.path)
    header = _plain_names(names)
    columns = find_columns(header, given)
    rows = _delimited_rows(source, start, delimiter, len(header), columns)
    return Table(_called(source), delimiter, header, columns, rows)


def _delimited_rows(source: Source, start: int, delimiter: str, width: int, columns: dict[str, int]) -> Iterator[Row]:
    needed = 1 + max(columns[wanted] for wanted in REQUIRED)
    for line, fields, unclosed in islice(records(_from(start, source.lines()), delimiter, source.path), 1, None):
        oddities = []
        if unclosed:
            oddities.append(Oddity.UNCLOSED)
        if any(fields[width:]):
            oddities.append(Oddity.MORE_FIELDS)
        elif needed <= len(fields) < width:
            oddities.append(Oddity.FEWER_FIELDS)
        found = {wanted: fields[place] for wanted, place in columns.items() if place < len(fields)}
        yield _row(line, found, Reason.FEW_FIELDS if len(fields) < needed else None, oddities)


# ---------------------------------------------------------------------------------------------------- plain text


def _plain_text(source: Source) -> Table | None:
    """The recipes of a text; None if it has none that is whole."""
    found = list(text_recipes(list(lines_of([source.whole_text()], source.path))))
    if not any(it.title and it.ingredients and it.steps for it in found):
        return None
    rows = (
        _row(
            it.line,
            {"title": it.title, "ingredients": "\n".join(it.ingredients), "steps": "\n".join(it.steps)},
            None,
            [Oddity.TEXT_BETWEEN] if it.skipped else [],
        )
        for it in found
    )
    columns = {name: place for place, name in enumerate(REQUIRED)}
    return Table(_called(source, "text"), "", list(REQUIRED), columns, rows)


# ---------------------------------------------------------------------------------------------------------- workbooks


def _workbook(source: Source, given: Mapping[str, str], sheet: str | None) -> Table:
    raw, path = source.whole(), source.path
    require_workbook(raw, path)
    book = Workbook(raw, path)
    tables: dict[str, Table] = {}
    best: Table | None = None
    for name in book.visible if sheet is None else [_sheet(book, path, sheet)]:
        table = _sheet_table(book, name, given)
        if _has_all(table.columns, given):
            tables[name] = table
        if best is None or len(table.columns) > len(best.columns):
            best = table
    if best is None:
        raise DataError(_("{path} has no sheet that is not hidden.", path=path), _("Say which: --sheet NAME."))
    if not tables:
        place = _("{path}, sheet {sheet!r},", path=path, sheet=best.sheets[0])
        require_columns(place, best.header, best.columns, given)
    first = next(iter(tables.values()))
    unread = [name for name in (*book.visible, *book.hidden) if name not in tables]
    rows = chain.from_iterable(table.rows for table in tables.values())
    return Table(first.encoding, "", first.header, first.columns, rows, list(tables), unread)


def _sheet(book: Workbook, path: str, wanted: str) -> str:
    """The name of a sheet as the workbook has it, where case and spaces may differ."""
    names = [*book.visible, *book.hidden]
    same = [name for name in names if name.strip().casefold() == wanted.strip().casefold()]
    if wanted in names or same:
        return wanted if wanted in names else same[0]
    near = difflib.get_close_matches(wanted.casefold(), [name.casefold() for name in names], n=1)
    meant = next((_("Did you mean {name!r}?", name=name) for name in names if name.casefold() in near), "")
    raise DataError(
        " ".join(filter(None, [_("{path} has no sheet {wanted!r}.", path=path, wanted=wanted), meant])),
        _("Its sheets: {names}.", names=", ".join(names[:20])),
    )


def _sheet_table(book: Workbook, sheet: str, given: Mapping[str, str]) -> Table:
    """A sheet as a table: its header is the first row that names all wanted columns, else the one that names most."""
    tops = [(row.number, _plain_names(row.fields[:_MOST_COLUMNS])) for row in islice(book.rows(sheet), _MOST_ABOVE)]
    places = [(find_columns(header, given), number, header) for number, header in tops] or [({}, 0, [])]
    columns, number, header = max(places, key=lambda it: (_has_all(it[0], given), len(it[0])))
    return Table(book.kind, "", header, columns, _sheet_rows(book, sheet, number, columns), [sheet])


def _sheet_rows(book: Workbook, sheet: str, header: int, columns: dict[str, int]) -> Iterator[Row]:
    for row in book.rows(sheet):
        if row.number > header:
            found = {wanted: row.fields[place] for wanted, place in columns.items() if place < len(row.fields)}
            oddities = [Oddity.DATE] if row.dates.intersection(columns.values()) else []
            yield replace(_row(row.number, found, None, oddities), sheet=sheet)


# ---------------------------------------------------------------------------------------------------------- JSON


def _json_lines(source: Source, given: Mapping[str, str]) -> Table:
    path = source.path
    if not any(isinstance(found, dict) for _, found in islice(_objects(source.lines()), _MOST_POOR)):
        flaws = (_("line {number}: {reason}", number=n, reason=_(str(it))) for n, it in _objects(source.lines()))
        problem = next(flaws, _("it is blank"))
        raise DataError(
            _("{path} has no JSON object on any line; {problem}.", path=path, problem=problem),
            _("JSON Lines have a recipe on each line."),
        )
    # they are made anew each time, as a stream
    return _table_of_objects(lambda: _objects(source.lines()), path, given, _called(source, "JSON Lines"))


def _documents(documents: Iterable[Any], path: str, given: Mapping[str, str], encoding: str) -> Table:
    """The recipes of JSON documents, wherever they stand in them."""

    @lru_cache(maxsize=4096)
    def has_columns(keys: tuple[str, ...]) -> bool:
        found = find_columns(_plain_names(keys[:_MOST_COLUMNS]), given).keys() & {*REQUIRED, *given}
        return len(found) > 1 and bool(found & {"ingredients", "steps", *given})

    found: list[dict[str, Any] | Reason] = []
    keys: dict[str, None] = {}
    for document in documents:
        found += objects(document, lambda it: has_columns(tuple(it)))
        keys = keys or keys_of(document)
    if not found:
        if "web page" in encoding:
            raise DataError(
                _("{path} is a web page without data of a recipe (schema.org/Recipe).", path=path), _(_FROM_A_PAGE)
            )
        header = _plain_names(list(keys))
        require_columns(path, header, find_columns(header, given), given)
    return _table_of_objects(lambda: enumerate(found, 1), path, given, encoding)


_FROM_A_PAGE: Final = N_(
    "Copy the recipe from the page into a text file (.txt). A table in it can be opened in Excel or LibreOffice and "
    "saved as .xlsx."
)


def _table_of_objects(
    found: Callable[[], Iterable[tuple[int, dict[str, Any] | Reason]]],
    path: str,
    given: Mapping[str, str],
    encoding: str,
) -> Table:
    """The header is every key that an object has, in the order of their first appearance."""
    seen: dict[str, None] = {}
    poor = 0  # what is no object, or has too few keys for a recipe, beyond as many as the others
    for _number, it in found():
        poor += 1 if isinstance(it, Reason) or len(it) < len(REQUIRED) else -1
        if isinstance(it, dict):
            seen |= dict.fromkeys(it)
            _require_few(len(seen), path)
        if poor > _MOST_POOR:  # whoever reads the rows will give up sooner
            break
    keys = list(seen)
    header = _plain_names(keys)
    columns = find_columns(header, given)
    require_columns(path, header, columns, given)
    wanted = {field: keys[place] for field, place in columns.items()}
    rows = (
        Row(number, {}, it) if isinstance(it, Reason) else _row_of_values(number, it, wanted) for number, it in found()
    )
    return Table(encoding, "", header, columns, rows)


def _objects(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any] | Reason]]:
    """The number of each line that is not blank and its object, or why it has none."""
    for number, line in enumerate(lines, 1):
        if line and not line.isspace():
            yield number, _object(line)


def _object(line: str) -> dict[str, Any] | Reason:
    if len(line) > _LONGEST_JSON:
        return Reason.LONG_LINE
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):  # RecursionError: brackets a thousand deep
        return Reason.NO_JSON
    return found if isinstance(found, dict) else Reason.NO_JSON


def _row_of_values(number: int, values: Mapping[str, Any], wanted: Mapping[str, str]) -> Row:
    texts = {field: text_of(values.get(key)) for field, key in wanted.items()}
    unreadable = [field for field in REQUIRED if texts[field] is None]
    fields = {field: text or "" for field, text in texts.items()}
    problem = Reason(f"{unreadable[0]}: neither a text nor a list of texts") if unreadable else None
    return _row(number, fields, problem)


# ------------------------------------------------------------------------------------------------------- Parquet


def _parquet(source: Source, given: Mapping[str, str]) -> Table:
    path, content = source.path, ParquetRows(source)
    _require_few(len(content.keys), path)
    header = _plain_names(content.keys)
    columns = find_columns(header, given)
    require_columns(path, header, columns, given)
    wanted = {field: content.keys[place] for field, place in columns.items()}
    content.require_few_items(list(wanted.values()))
    return Table("Parquet", "", header, columns, _parquet_rows(source, content, wanted))


def _parquet_rows(source: Source, content: ParquetRows, wanted: Mapping[str, str]) -> Iterator[Row]:
    size = 0
    for number, found in enumerate(content.values(list(wanted.values())), 1):
        row = _row_of_values(number, found, wanted)
        size += sum(map(len, row.fields.values()))
        source.require_plausible(size)
        yield row
