"""A file of any format -> a table: its header, which column holds what, and rows of text.

CSV under any delimiter, JSON Lines (``.jsonl``, ``.ndjson``) and Parquet (``.parquet``); all but Parquet in any
encoding, and compressed with gzip or not.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from koki.errors import DataError
from koki.recipes.cleaning import repair
from koki.recipes.columns import REQUIRED, find_columns, require_columns
from koki.recipes.decoding import decode, records, split_lines, unpack

DELIMITERS: Final = (",", ";", "\t", "|")
LONGEST_FIELD: Final = 20_000
"""Characters; the longest of 11,751 real rows' fields has 3,231: more is a damaged file."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row below the header.

    Attributes:
        line: the physical line on which it starts, from 1; in a Parquet file, which has none, the number of the row.
        fields: wanted field -> its text as the file has it.
        problem: why no recipe can be made of the fields; empty if one can be tried.
        oddities: what is strange about its form.
    """

    line: int
    fields: dict[str, str]
    problem: str = ""
    oddities: tuple[str, ...] = ()


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
        return _json_lines(split_lines(text), path, given, f"{encoding} (JSON Lines{packing})")
    return _delimited(split_lines(text), path, given, f"{encoding}{packing}")


def _plain_names(names: Sequence[str]) -> list[str]:
    return [" ".join(repair(name)[0].split()) for name in names]


def _row(line: int, fields: dict[str, str], problem: str = "", oddities: tuple[str, ...] = ()) -> Row:
    if not problem and max(map(len, fields.values()), default=0) > LONGEST_FIELD:
        problem = f"a field is longer than {LONGEST_FIELD:,} characters"
    return Row(line, fields, problem, oddities)


# ----------------------------------------------------------------------------------------------------------- CSV


def _delimited(lines: list[str], path: str, given: Mapping[str, str], encoding: str) -> Table:
    """Read with the delimiter under which the header names most of the wanted columns."""
    tables = [_split_at(delimiter, lines, given, encoding) for delimiter in DELIMITERS]
    best = max(tables, key=lambda it: (len(it.columns.keys() & {*REQUIRED, *given}), len(it.columns), len(it.header)))
    require_columns(path, best.header, best.columns, given)
    return best


def _split_at(delimiter: str, lines: list[str], given: Mapping[str, str], encoding: str) -> Table:
    record = next(records(lines, delimiter), None)
    header = _plain_names(record.fields if record else [])
    columns = find_columns(header, given)
    return Table(encoding, delimiter, header, columns, _delimited_rows(lines, delimiter, len(header), columns))


def _delimited_rows(lines: list[str], delimiter: str, width: int, columns: dict[str, int]) -> Iterator[Row]:
    needed = 1 + max(columns[wanted] for wanted in REQUIRED)
    for line, fields, unclosed in islice(records(lines, delimiter), 1, None):
        oddities = []
        if unclosed:
            oddities.append("a quotation mark is opened and never closed; read to the end of its line")
        if any(fields[width:]):
            oddities.append("more fields than the header; text may be in the wrong column")
        elif needed <= len(fields) < width:
            oddities.append("fewer fields than the header")
        found = {wanted: fields[place] for wanted, place in columns.items() if place < len(fields)}
        yield _row(line, found, "too few fields" if len(fields) < needed else "", tuple(oddities))


# ---------------------------------------------------------------------------------------------------- JSON Lines


def _json_lines(lines: list[str], path: str, given: Mapping[str, str], encoding: str) -> Table:
    """The header is every key that an object has, in the order of their first appearance."""
    objects = [(number, _object(line)) for number, line in enumerate(lines, 1) if line.strip()]
    keys = list(dict.fromkeys(key for _, found in objects for key in found or ()))
    header = _plain_names(keys)
    columns = find_columns(header, given)
    require_columns(path, header, columns, given)
    wanted = {field: keys[place] for field, place in columns.items()}
    rows = (
        Row(number, {}, "not a JSON object") if found is None else _row_of_values(number, found, wanted)
        for number, found in objects
    )
    return Table(encoding, "", header, columns, rows)


def _object(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):  # RecursionError: brackets a thousand deep
        return None
    return found if isinstance(found, dict) else None


def _row_of_values(number: int, values: Mapping[str, Any], wanted: Mapping[str, str]) -> Row:
    texts = {field: _text(values.get(key)) for field, key in wanted.items()}
    unreadable = [field for field in REQUIRED if texts[field] is None]
    fields = {field: text or "" for field, text in texts.items()}
    problem = f"{unreadable[0]}: neither a text nor a list of texts" if unreadable else ""
    return _row(number, fields, problem)


def _text(value: object) -> str | None:
    """A value as a CSV would hold it, a list with ``--`` between its items; None for what is no text."""
    if isinstance(value, list):
        texts = [_text(item) for item in value if not isinstance(item, list)]
        found = [text for text in texts if text is not None]
        return "--".join(found) if len(found) == len(value) else None
    if value is None or isinstance(value, str | int | float):
        return "" if value is None else str(value)
    return None


# ------------------------------------------------------------------------------------------------------- Parquet


def _parquet(raw: bytes, path: str, given: Mapping[str, str]) -> Table:
    try:
        from pyarrow import parquet
    except ImportError:
        raise DataError(
            f"{path} is a Parquet file, which Koki reads with pyarrow.", "pip install 'koki[parquet]'"
        ) from None
    try:
        file = parquet.ParquetFile(io.BytesIO(raw))
    except (OSError, ValueError, NotImplementedError) as error:  # what pyarrow's errors are kinds of
        raise _damaged_parquet(path, error) from error
    keys = file.schema_arrow.names
    header = _plain_names(keys)
    columns = find_columns(header, given)
    require_columns(path, header, columns, given)
    wanted = {field: keys[place] for field, place in columns.items()}
    return Table("Parquet", "", header, columns, _parquet_rows(file, path, wanted))


def _parquet_rows(file: Any, path: str, wanted: Mapping[str, str]) -> Iterator[Row]:
    try:
        batches = file.iter_batches(batch_size=1024, columns=list(wanted.values()))
        objects = (found for batch in batches for found in batch.to_pylist())
        for number, found in enumerate(objects, 1):
            yield _row_of_values(number, found, wanted)
    except (OSError, ValueError, NotImplementedError) as error:
        raise _damaged_parquet(path, error) from error


def _damaged_parquet(path: str, error: Exception) -> DataError:
    reason = " ".join(str(error).split())[:200]
    return DataError(f"{path} cannot be read as Parquet: {reason}", "Write the file again, or save it as CSV.")
