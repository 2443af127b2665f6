"""A file of any format -> a table: its header, which column holds what, and rows of text.

CSV under any delimiter, JSON Lines (``.jsonl``, ``.ndjson``) and Parquet (``.parquet``); all but Parquet in any
encoding, and compressed with gzip or not.
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from koki.errors import DataError
from koki.recipes.cleaning import repair
from koki.recipes.columns import REQUIRED, find_columns, require_columns
from koki.recipes.decoding import MOST_BYTES, MOST_LINES, decode, records, split_lines, unpack
from koki.recipes.findings import Oddity, Reason
from koki.recipes.values import text_of

LONGEST_FIELD: Final = 20_000
"""Characters of a field. The longest in 11,751 real rows has 3,231; one of more than this is damaged."""

MOST_ITEMS: Final = 10_000_000
"""Items of all lists in a column of a Parquet file's row group, where a million empty ones take no room."""

_DELIMITERS: Final = (",", ";", "\t", "|")
# Columns of a file. Recipe files have three to six; a line with more than this is no header.
_MOST_COLUMNS: Final = 1_000
# Characters of a column's name that are looked at.
_LONGEST_NAME: Final = 200
# Characters of the first line.
_LONGEST_HEADER: Final = _MOST_COLUMNS * _LONGEST_NAME
# Characters of a line of JSON, which may take thirty times as much memory once it is parsed.
_LONGEST_JSON: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """A row below the header.

    Attributes:
        line: the physical line on which it starts, from 1; in a Parquet file, which has none, the number of the row.
        fields: wanted field -> its text as the file has it.
        problem: why no recipe can be made of the fields; None if one can be tried.
        oddities: what is strange about its form.
    """

    line: int
    fields: dict[str, str]
    problem: Reason | None = None
    oddities: tuple[Oddity, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A file as a table. The rows can be gone through once.

    Attributes:
        encoding: of the text, with the format where it is not CSV.
        delimiter: empty for a format that has none.
        columns: wanted field -> its place in the header.
    """

    encoding: str
    delimiter: str
    header: list[str]
    columns: dict[str, int]
    rows: Iterator[Row]


def open_table(raw: bytes, path: str, given: Mapping[str, str]) -> Table:
    """Make a table of what a file holds.

    Args:
        path: its suffix tells the format; errors name it.
        given: wanted field -> name of its column, where the user says so.

    Raises:
        DataError: the content is damaged or of another kind, a column is missing, or pyarrow is needed and missing.
    """
    suffix = Path(path.casefold().removesuffix(".gz")).suffix
    if suffix == ".parquet" or raw.startswith(b"PAR1"):
        return _parquet(raw, path, given)
    content, packing = unpack(raw, path)
    text, encoding = decode(content)
    if suffix in {".jsonl", ".ndjson"}:
        return _json_lines(split_lines(text, path), path, given, f"{encoding} (JSON Lines{packing})")
    return _delimited(split_lines(text, path), path, given, f"{encoding}{packing}")


def _plain_names(names: Sequence[str]) -> list[str]:
    return [" ".join(repair(name[:_LONGEST_NAME])[0].split()) for name in names]


_HEADER: Final = "It should name title, ingredients and steps, and little else."


def _require_few(columns: int, path: str) -> None:
    if columns > _MOST_COLUMNS:
        raise DataError(f"{path} has more than {_MOST_COLUMNS:,} columns.", _HEADER)


def _row(line: int, fields: dict[str, str], problem: Reason | None, oddities: Iterable[Oddity] = ()) -> Row:
    if not problem and max(map(len, fields.values()), default=0) > LONGEST_FIELD:
        problem = Reason.LONG_FIELD
    return Row(line, fields, problem, tuple(oddities))


# ----------------------------------------------------------------------------------------------------------- CSV


def _delimited(lines: list[str], path: str, given: Mapping[str, str], encoding: str) -> Table:
    """Read with the delimiter under which the header names most of the wanted columns."""
    if len(next((line for line in lines if not line.isspace()), "")) > _LONGEST_HEADER:
        raise DataError(f"The first line of {path} has more than {_LONGEST_HEADER:,} characters.", _HEADER)
    tables = [_split_at(delimiter, lines, path, given, encoding) for delimiter in _DELIMITERS]
    best = max(tables, key=lambda it: (len(it.columns.keys() & {*REQUIRED, *given}), len(it.columns), len(it.header)))
    require_columns(path, best.header, best.columns, given)
    return best


def _split_at(delimiter: str, lines: list[str], path: str, given: Mapping[str, str], encoding: str) -> Table:
    record = next(records(lines, delimiter, path), None)
    names = record.fields if record else []
    _require_few(len(names), path)
    header = _plain_names(names)
    columns = find_columns(header, given)
    return Table(encoding, delimiter, header, columns, _delimited_rows(lines, delimiter, path, len(header), columns))


def _delimited_rows(lines: list[str], delimiter: str, path: str, width: int, columns: dict[str, int]) -> Iterator[Row]:
    needed = 1 + max(columns[wanted] for wanted in REQUIRED)
    for line, fields, unclosed in islice(records(lines, delimiter, path), 1, None):
        oddities = []
        if unclosed:
            oddities.append(Oddity.UNCLOSED)
        if any(fields[width:]):
            oddities.append(Oddity.MORE_FIELDS)
        elif needed <= len(fields) < width:
            oddities.append(Oddity.FEWER_FIELDS)
        found = {wanted: fields[place] for wanted, place in columns.items() if place < len(fields)}
        yield _row(line, found, Reason.FEW_FIELDS if len(fields) < needed else None, oddities)


# ---------------------------------------------------------------------------------------------------- JSON Lines


def _json_lines(lines: list[str], path: str, given: Mapping[str, str], encoding: str) -> Table:
    """The header is every key that an object has, in the order of their first appearance."""
    seen: dict[str, None] = {}
    problem = ""
    for number, found in _objects(lines):
        if isinstance(found, dict):
            seen |= dict.fromkeys(found)
            _require_few(len(seen), path)
        elif not seen:
            problem = problem or f"line {number}: {found}"
    if problem and not seen:
        raise DataError(f"{path} has no JSON object on any line; {problem}.", "JSON Lines have a recipe on each line.")
    keys = list(seen)
    header = _plain_names(keys)
    columns = find_columns(header, given)
    require_columns(path, header, columns, given)
    wanted = {field: keys[place] for field, place in columns.items()}
    rows = (
        Row(number, {}, found) if isinstance(found, Reason) else _row_of_values(number, found, wanted)
        for number, found in _objects(lines)
    )
    return Table(encoding, "", header, columns, rows)


def _objects(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any] | Reason]]:
    """The number of each line that is not blank and its object, or why it has none.

    They are made anew each time: all at once may take thirty times the memory of the file.
    """
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


# What pyarrow's errors are kinds of; a file that lies about its sizes asks for more memory than there is.
_PARQUET_ERRORS: Final = (OSError, ValueError, NotImplementedError, MemoryError)


def _parquet(raw: bytes, path: str, given: Mapping[str, str]) -> Table:
    try:
        from pyarrow import parquet
    except ImportError:
        raise DataError(
            f"{path} is a Parquet file, which Koki reads with pyarrow.", "pip install 'koki[parquet]'"
        ) from None
    try:
        file = parquet.ParquetFile(io.BytesIO(raw))
    except _PARQUET_ERRORS as error:
        raise _damaged_parquet(path, error) from error
    keys = file.schema_arrow.names
    _require_few(len(keys), path)
    header = _plain_names(keys)
    columns = find_columns(header, given)
    require_columns(path, header, columns, given)
    if file.metadata.num_rows > MOST_LINES:
        raise DataError(f"{path} has more than {MOST_LINES:,} rows.", "Split it into smaller files.")
    if any(chunk.num_values > MOST_ITEMS for chunk in _chunks(file)):
        raise DataError(f"{path} has more than {MOST_ITEMS:,} items in a column.", "Split it into smaller files.")
    wanted = {field: keys[place] for field, place in columns.items()}
    return Table("Parquet", "", header, columns, _parquet_rows(file, path, wanted))


def _parquet_rows(file: Any, path: str, wanted: Mapping[str, str]) -> Iterator[Row]:
    try:
        # few rows at once: a file of some kilobytes can hold one long text a million times
        longest = max((1, *(chunk.total_uncompressed_size for chunk in _chunks(file))))
        batch_size = max(1, min(64, MOST_BYTES // longest))
        batches = file.iter_batches(batch_size=batch_size, columns=list(wanted.values()))
        rows = (row for batch in batches for row in batch.to_pylist())
        size = 0
        for number, found in enumerate(rows, 1):
            row = _row_of_values(number, found, wanted)
            size += sum(map(len, row.fields.values()))
            if size > MOST_BYTES:
                raise DataError(
                    f"{path} holds more than {MOST_BYTES // 2**20:,} MiB once it is unpacked.",
                    "Split it into smaller files.",
                )
            yield row
    except _PARQUET_ERRORS as error:
        raise _damaged_parquet(path, error) from error


def _chunks(file: Any) -> Iterator[Any]:
    """What the file says of each column of each group of rows."""
    for group in map(file.metadata.row_group, range(file.num_row_groups)):
        yield from map(group.column, range(group.num_columns))


def _damaged_parquet(path: str, error: Exception) -> DataError:
    reason = " ".join(str(error).split())[:200]
    return DataError(f"{path} cannot be read as Parquet: {reason}", "Write the file again, or save it as CSV.")
