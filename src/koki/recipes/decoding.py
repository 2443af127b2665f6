"""From bytes to the rows of a table: text, lines, records; a piece at a time, so that any size fits the memory."""

import codecs
import csv
import io
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from typing import Final, NamedTuple

from koki.errors import DataError
from koki.language import _

LONGEST_ROW: Final = 2**24
"""Characters of a row, on however many lines, and of a line: what is held in memory at once. csv needs up to eight
bytes for each."""

# Lines of a row, each of which takes memory beside its characters.
_MOST_LINES: Final = 2**20

MOST_BLANK: Final = 2_000_000
"""Characters of blank lines one after another, which a file of some kilobytes can have without end."""

MOST_REREAD: Final = 2**28
"""Characters that may be read again for quotation marks that are never closed: ten seconds or so. One such mark in a
real file costs a few thousand; marks that are placed on purpose cost the square of the file."""


class Encoding(NamedTuple):
    """How bytes are to be read as text.

    Attributes:
        codec: Python's name for it.
        name: what people call it.
        mark: the bytes at the start that are no text.
    """

    codec: str
    name: str
    mark: bytes = b""


_MARKED: Final = (
    Encoding("utf-8", "UTF-8-BOM", codecs.BOM_UTF8),
    Encoding("utf-16-le", "UTF-16", codecs.BOM_UTF16_LE),
    Encoding("utf-16-be", "UTF-16", codecs.BOM_UTF16_BE),
)
# Bytes at the start by which UTF-16 without a mark is known.
_LOOKED_AT: Final = 4096
_REPLACEMENT: Final = "\ufffd".encode()


class EncodingSurvey:
    """Finds the encoding of a text that comes in blocks; all of it is looked at."""

    def __init__(self) -> None:
        self._head = self._last = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._good = self._damaged = 0  # characters beyond ASCII, as UTF-8, and sequences that are none

    def add(self, block: bytes) -> None:
        """Look at the next bytes."""
        self._head += block[: _LOOKED_AT - len(self._head)]
        if not block.isascii() or self._decoder.getstate()[0]:
            self._count(self._decoder.decode(block))
            # some files have U+FFFD from an earlier loss, also across the border of two blocks
            lost = (self._last + block).count(_REPLACEMENT)
            self._damaged -= lost
            self._good += lost
        self._last = block[-2:] if len(block) > 1 else (self._last + block)[-2:]

    def _count(self, text: str) -> None:
        beyond, replaced = len(text) - len(text.encode("ascii", "ignore")), text.count("\ufffd")
        self._good += beyond - replaced
        self._damaged += replaced

    def encoding(self) -> Encoding:
        """The encoding of all bytes that were added; there are no more of them."""
        self._count(self._decoder.decode(b"", True))
        for marked in _MARKED:
            if self._head.startswith(marked.mark):
                return marked
        # Latin letters in UTF-16 have every other byte 0, which no other encoding does.
        even, odd = self._head[::2].count(0), self._head[1::2].count(0)
        if max(even, odd) > 0.3 * len(self._head[::2]) and min(even, odd) < 0.1 * max(even, odd):
            return Encoding("utf-16-le" if odd > even else "utf-16-be", "UTF-16")
        # A few broken sequences among many good ones are damaged UTF-8; the reverse is another encoding.
        if self._damaged and self._damaged > self._good:
            return Encoding("cp1252", "Windows-1252")
        return Encoding("utf-8", "UTF-8")


def decode(raw: bytes) -> tuple[str, str]:
    """Text and the name of its encoding. What cannot be decoded becomes U+FFFD; nothing raises."""
    survey = EncodingSurvey()
    survey.add(raw)
    encoding = survey.encoding()
    return "".join(decoded([raw], encoding)), encoding.name


def decoded(blocks: Iterable[bytes], encoding: Encoding) -> Iterator[str]:
    """The text in pieces, none of them empty. What cannot be decoded becomes U+FFFD."""
    decoder = codecs.getincrementaldecoder(encoding.codec)("replace")
    mark = len(encoding.mark)
    for block in blocks:
        if text := decoder.decode(block[mark:]):
            yield text
        mark = max(0, mark - len(block))
    if text := decoder.decode(b"", True):
        yield text


def lines_of(texts: Iterable[str], path: str) -> Generator[str, None, None]:
    """The lines of a text in pieces, as the csv module and every editor count them, line ends kept.

    Raises:
        DataError: one is longer than ``LONGEST_ROW``, or too many are blank.
    """
    blank = 0
    for number, line in enumerate(_split(texts), 1):
        blank = blank + len(line) if line.isspace() else 0
        if len(line) > LONGEST_ROW:
            raise DataError(
                _(
                    "{path}, line {number:,}: more than {longest_row:,} characters, which no row has.",
                    path=path,
                    number=number,
                    longest_row=LONGEST_ROW,
                ),
                _("Remove it, or save the recipes once more, each in a row of its own."),
            )
        if blank > MOST_BLANK:
            raise DataError(
                _(
                    "{path}, line {number:,}: more than {most_blank:,} characters of blank lines.",
                    path=path,
                    number=number,
                    most_blank=MOST_BLANK,
                ),
                _("Remove them."),
            )
        yield line


def _split(texts: Iterable[str]) -> Iterator[str]:
    """The lines; one that is too long is cut, so that no more of it is held."""
    rest = ""
    for text in texts:
        lines = list(io.StringIO(rest + text, newline=""))
        rest = ""
        if lines and not lines[-1].endswith("\n"):  # "\r" may be half of a line end
            rest = lines.pop()
        yield from lines
        if len(rest) > LONGEST_ROW:
            break
    if rest:
        yield rest


class Record(NamedTuple):
    """The fields of one row, as the file has them."""

    line: int  # the physical line on which it starts, from 1
    fields: list[str]
    unclosed: bool  # a quotation mark opened on this line was never closed


def records(lines: Iterable[str], delimiter: str, path: str) -> Iterator[Record]:
    """The rows that are not blank; the first one is the header.

    A quotation mark that is never closed swallows the rows up to the next one, or to ``LONGEST_ROW``. Such a row is
    read again as a row of one line, and reading goes on with the next line.

    Raises:
        DataError: more than ``MOST_REREAD`` would have to be read again.
    """
    csv.field_size_limit(2**31 - 1)  # length is for the caller to judge, row by row; csv would give up the whole file
    width, number, left = 0, 1, MOST_REREAD
    again: deque[str] = deque()  # lines that a broken row has swallowed
    source = iter(lines)
    while (line := again.popleft() if again else next(source, None)) is not None:
        span = [line]
        if line.strip("\r\n "):  # there may be a million blank lines
            # A reader for each row knows where the row ends, and costs next to nothing.
            fields = next(csv.reader(_row_of(span, again, source), delimiter=delimiter))
            unclosed = _has_swallowed_rows(fields, span, delimiter, width)
            if unclosed:
                left -= sum(map(len, span))
                if left < 0:
                    raise DataError(
                        _(
                            "{path}, line {start:,}: one quotation mark after another is never closed.",
                            path=path,
                            start=number,
                        ),
                        _("Save it as CSV once more, every quotation mark inside a field doubled."),
                    )
                again.extendleft(reversed(span[1:]))
                span = [line]
                fields = _read_alone(line, delimiter, width)
            if len(fields) > 1 or any(map(str.strip, fields)):
                width = width or len(fields)
                yield Record(number, fields, unclosed)
        number += len(span)


def _row_of(span: list[str], again: deque[str], source: Iterator[str]) -> Iterator[str]:
    """The lines that a row may span, from its first one on; those that are asked for are put into ``span``."""
    yield span[0]
    left = LONGEST_ROW - len(span[0])
    while left > 0 and len(span) < _MOST_LINES:
        line = again.popleft() if again else next(source, None)
        if line is None:
            return
        span.append(line)
        left -= len(line)
        yield line


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
