"""From a file to the rows of a table: paths, bytes, text, lines, records."""

import csv
import errno
import glob
import gzip
import hashlib
import io
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, Self

from koki import files
from koki.errors import DataError, RecipeFileNotFound
from koki.language import _

MOST_BYTES: Final = 2**27
"""Bytes of a file, unpacked: thirteen times the 11,751 real recipes that Koki was tried on. To read it takes up to
eight times as much memory."""

MOST_LINES: Final = 2_000_000
"""Lines of a file. ``MOST_BYTES`` hold a seventh of a million recipes, which have ten lines each at most."""

LONGEST_ROW: Final = 2**24
"""Characters of a row, on however many lines; csv needs up to eight bytes for each."""

MOST_REREAD: Final = 2**28
"""Characters that may be read again for quotation marks that are never closed: ten seconds or so. One such mark in a
real file costs a few thousand; marks that are placed on purpose cost the square of the file."""


def find_files(paths: Iterable[str | Path]) -> list[str]:
    """The files in order; for a pattern with ``*``, ``?`` or ``[...]``, those that match it, sorted by name.

    Raises:
        RecipeFileNotFound: no file matches a pattern.
    """
    return [file for path in paths for file in _matches(os.fspath(path))]


def _matches(path: str) -> list[str]:
    # A file whose own name looks like a pattern, as "resep[1].csv" does, is that file.
    if not glob.has_magic(path) or os.path.lexists(path) or "\0" in path:
        return [path]
    found = sorted(file for file in glob.glob(path, recursive=True) if not Path(file).is_dir())  # noqa: PTH207 (Path's own takes no absolute pattern)
    if not found:
        raise RecipeFileNotFound(
            _("No recipe file matches {path}", path=path), _("Check the pattern, and the folder it starts from.")
        )
    return found


def read_bytes(path: str) -> bytes:
    """What the file holds.

    Raises:
        RecipeFileNotFound: the file is missing.
        DataError: it is no regular file or cannot be read.
    """
    try:
        return files.read_bytes(path, MOST_BYTES)
    except IsADirectoryError:
        raise DataError(_("{path} is a folder, not a recipe file.", path=path), _("Name the files in it.")) from None
    except (FileNotFoundError, NotADirectoryError):
        raise RecipeFileNotFound(
            _("There is no recipe file {path}", path=path), _("Check the path given as data.")
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        raise DataError(_("{path!r} cannot be read: {error}", path=path, error=error), _how_to_read(error)) from error


class FileDigest(NamedTuple):
    """A recipe file by its content: two reads that give the same digest read the same bytes."""

    path: str
    sha256: str  # 64 hex digits

    @classmethod
    def of(cls, path: str, raw: bytes) -> Self:
        """The digest of a file that held these bytes."""
        return cls(path, hashlib.sha256(raw).hexdigest())


def read_digests(paths: Iterable[str | Path]) -> list[FileDigest]:
    """The digest of each file that `find_files` finds, in order; one file at a time is held in memory.

    Raises:
        RecipeFileNotFound, DataError: as `find_files` and `read_bytes`.
    """
    return [FileDigest.of(path, read_bytes(path)) for path in find_files(paths)]


def _how_to_read(error: Exception) -> str:
    match getattr(error, "errno", None):
        case errno.EFBIG:
            return _("Split it into smaller files.")
        case errno.EINVAL:
            return _("Save the recipes in a CSV file and name that.")
        case _:
            return _("Check the path and its permissions.")


def unpack(raw: bytes, path: str) -> tuple[bytes, str]:
    """The bytes of the text, and ", gzip" if they were compressed.

    Raises:
        DataError: there is no text, it would be longer than ``MOST_BYTES``, or it is a workbook or archive.
    """
    packing = ""
    if raw.startswith(b"\x1f\x8b"):
        raw, packing = _gunzip(raw, path), ", gzip"
    if not raw.strip(b"\0\r\n\t \xef\xbb\xbf\xff\xfe"):
        raise DataError(_("{path} is empty.", path=path), _("It needs a header line and one line for each recipe."))
    if raw.startswith(b"PK\x03\x04"):
        raise DataError(
            _("{path} is a workbook or zip archive, compressed once more.", path=path), _("Unpack it first (gunzip).")
        )
    return raw, packing


def _gunzip(raw: bytes, path: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(raw)) as packed:
            content = packed.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            _("{path} is a damaged gzip file: {error}", path=path, error=error), _("Pack it again, or unpack it first.")
        ) from error
    if len(content) > MOST_BYTES:
        raise DataError(
            _(
                "{path} holds more than {most_bytes:,} MiB once it is unpacked.",
                path=path,
                most_bytes=MOST_BYTES // 2**20,
            ),
            _("Split it into smaller files."),
        )
    return content


def decode(raw: bytes) -> tuple[str, str]:
    """Text and the name of its encoding. What cannot be decoded becomes U+FFFD; nothing raises."""
    for mark, codec, name in (
        (b"\xef\xbb\xbf", "utf-8", "UTF-8-BOM"),
        (b"\xff\xfe", "utf-16-le", "UTF-16"),
        (b"\xfe\xff", "utf-16-be", "UTF-16"),
    ):
        if raw.startswith(mark):
            return raw.removeprefix(mark).decode(codec, "replace"), name
    # Latin letters in UTF-16 have every other byte 0, which no other encoding does.
    even, odd = raw[:4096:2].count(0), raw[1:4096:2].count(0)
    if max(even, odd) > 0.3 * len(raw[:4096:2]) and min(even, odd) < 0.1 * max(even, odd):
        return raw.decode("utf-16-le" if odd > even else "utf-16-be", "replace"), "UTF-16"
    text = raw.decode("utf-8", "replace")
    damaged = text.count("\ufffd") - raw.count("\ufffd".encode())  # some files have U+FFFD from an earlier loss
    # A few broken sequences among many good ones are damaged UTF-8; the reverse is another encoding.
    if damaged and damaged > sum(character > "\x7f" for character in text) - damaged:
        return raw.decode("cp1252", "replace"), "Windows-1252"
    return text, "UTF-8"


_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")


def split_lines(text: str, path: str) -> list[str]:
    """The lines of the file as the csv module and every editor count them, line ends kept.

    Raises:
        DataError: there are more than ``MOST_LINES``, or one is longer than ``LONGEST_ROW``.
    """
    if text.count("\n") + text.count("\r") - text.count("\r\n") > MOST_LINES:
        raise DataError(
            _("{path} has more than {most_lines:,} lines.", path=path, most_lines=MOST_LINES),
            _("Split it into smaller files."),
        )
    lines = _LINE.findall(text)
    if (longest := max(map(len, lines), default=0)) > LONGEST_ROW:
        number = 1 + next(place for place, line in enumerate(lines) if len(line) == longest)
        raise DataError(
            _(
                "{path}, line {number:,}: {longest:,} characters; no row has more than {longest_row:,}.",
                path=path,
                number=number,
                longest=longest,
                longest_row=LONGEST_ROW,
            ),
            _("Remove it, or save the recipes once more, each in a row of its own."),
        )
    return lines


class Record(NamedTuple):
    """The fields of one row, as the file has them."""

    line: int  # the physical line on which it starts, from 1
    fields: list[str]
    unclosed: bool  # a quotation mark opened on this line was never closed


def records(lines: list[str], delimiter: str, path: str) -> Iterator[Record]:
    """The rows that are not blank; the first one is the header.

    A quotation mark that is never closed swallows the rows up to the next one, or to ``LONGEST_ROW``. Such a row is
    read again as a row of one line, and reading goes on with the next line.

    Raises:
        DataError: more than ``MOST_REREAD`` would have to be read again.
    """
    csv.field_size_limit(2**31 - 1)  # length is for the caller to judge, row by row; csv would give up the whole file
    width = start = 0
    left = MOST_REREAD
    while start < len(lines):
        if not lines[start].strip("\r\n "):  # a blank line, of which there may be a million
            start += 1
            continue
        # A reader for each row knows where the row ends, and costs next to nothing.
        reader = csv.reader(_within_a_row(lines, start), delimiter=delimiter)
        fields, end = next(reader), start + reader.line_num
        unclosed = _has_swallowed_rows(fields, lines[start:end], delimiter, width)
        if unclosed:
            left -= sum(map(len, lines[start:end]))
            if left < 0:
                raise DataError(
                    _(
                        "{path}, line {start:,}: one quotation mark after another is never closed.",
                        path=path,
                        start=start + 1,
                    ),
                    _("Save it as CSV once more, every quotation mark inside a field doubled."),
                )
            fields, end = _read_alone(lines[start], delimiter, width), start + 1
        if len(fields) > 1 or any(map(str.strip, fields)):
            width = width or len(fields)
            yield Record(start + 1, fields, unclosed)
        start = end


def _within_a_row(lines: list[str], start: int) -> Iterator[str]:
    """The lines that a row which starts there may span."""
    left = LONGEST_ROW
    while left > 0 and start < len(lines):
        yield lines[start]
        left -= len(lines[start])
        start += 1


def _has_swallowed_rows(fields: list[str], span: list[str], delimiter: str, width: int) -> bool:
    """A row of several lines with an odd number of quotation marks is broken if it does not fit the header, or if
    one of its later lines is a whole row by itself."""
    if len(span) == 1 or sum(line.count('"') for line in span) % 2 == 0:
        return False
    return len(fields) != width or any(len(row) == width for row in csv.reader(span[1:], delimiter=delimiter))


def _read_alone(line: str, delimiter: str, width: int) -> list[str]:
    """One line as a row, its quotation marks taken for plain characters if it fits the header then."""
    plain = next(csv.reader([line], delimiter=delimiter, quoting=csv.QUOTE_NONE))
    if len(plain) == width:
        return [field.strip().strip('"') for field in plain]
    return next(csv.reader([line], delimiter=delimiter))
