"""A workbook of Excel (``.xlsx``) or LibreOffice (``.ods``) -> the rows of its sheets as text, through calamine.

calamine makes every cell of the smallest rectangle that holds all of a sheet, and ends the whole process where memory
does not suffice for that: a file of two kilobytes is enough. So it is given parts that were unpacked and measured here.
"""

import datetime
import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple, TypeGuard
from xml.parsers import expat

import python_calamine as calamine

from koki.errors import DataError
from koki.language import N_, _
from koki.recipes.sources import MOST_BYTES

_MOST_CELLS: Final = 2**22
"""Cells of a workbook, empty ones between others included; each takes up to 100 bytes. 11,751 real recipes have
70,506."""

_MOST_PARTS: Final = 10_000
# XML elements of all parts, times the number of sheets: calamine may read a part once for each.
_MOST_ELEMENTS: Final = 2**26


class SheetRow(NamedTuple):
    """A row of a sheet that is not blank.

    Attributes:
        number: its number as the program shows it, from 1.
        fields: the text of each cell, numbers as they were typed.
        dates: which of them are dates.
    """

    number: int
    fields: list[str]
    dates: frozenset[int]


class Workbook:
    """The sheets of a workbook.

    Raises:
        DataError: it is damaged, locked with a password, or too large once it is unpacked.
    """

    def __init__(self, raw: bytes, path: str) -> None:
        self._path = path
        with _told(path):
            parts = _parts(raw, path)
            self.kind = "LibreOffice" if "content.xml" in parts else "Excel"
            measure = _Measure(path)
            for part in parts.values():
                measure.add(part)
            self._workbook = calamine.load_workbook(io.BytesIO(_packed(parts)))
            sheets = [it for it in self._workbook.sheets_metadata if it.typ == calamine.SheetTypeEnum.WorkSheet]
        measure.require_small(len(sheets))
        self.visible = [sheet.name for sheet in sheets if sheet.visible == calamine.SheetVisibleEnum.Visible]
        self.hidden = [sheet.name for sheet in sheets if sheet.name not in self.visible]

    def rows(self, sheet: str) -> Iterator[SheetRow]:
        """The rows of a sheet that are not blank, from the top.

        Raises:
            DataError: the sheet is damaged.
        """
        with _told(self._path):
            found = self._workbook.get_sheet_by_name(sheet)
            first_row, first_column = found.start or (0, 0)
            for number, cells in enumerate(found.iter_rows(), first_row + 1):
                fields = [""] * first_column + [_text(cell) for cell in cells]
                if any(fields):
                    dates = (place for place, cell in enumerate(cells, first_column) if _is_date(cell))
                    yield SheetRow(number, fields, frozenset(dates))


def _is_date(value: object) -> TypeGuard[datetime.date]:
    return isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)


def _text(value: object) -> str:
    """A cell as it was typed: 1 for the number 1.0, 1/2 for the date that Excel makes of it."""
    if isinstance(value, float):
        return f"{value:.15g}"  # Excel's own precision
    if _is_date(value):
        # Which one is the day depends on the language of Excel; an amount is a half or two thirds, not 2/1 or 3/2.
        low, high = sorted((value.day, value.month))
        return f"{low}/{high}" if low < high <= 12 else value.isoformat()
    return str(value).strip()


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Raise what is wrong with a workbook as an error of Koki."""
    try:
        yield
    except calamine.PasswordError as error:
        raise locked(path) from error
    except (
        *(calamine.CalamineError, zipfile.BadZipFile, zlib.error, expat.ExpatError),
        *(OSError, EOFError, ValueError, NotImplementedError, RuntimeError),  # zipfile's own, of a damaged archive
    ) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            _("{path} cannot be read as a workbook: {reason}", path=path, reason=reason),
            _("Save it again as .xlsx or .ods, or as CSV (UTF-8)."),
        ) from error


def locked(path: str) -> DataError:
    """The error of a workbook that is locked with a password."""
    return DataError(
        _("{path} is locked with a password.", path=path), _("Open it, take the password off, and save it again.")
    )


# ----------------------------------------------------------------------------------------------------------- unpacking


def _parts(raw: bytes, path: str) -> dict[str, bytes]:
    """The parts that hold text, unpacked; no picture is.

    They are packed again for calamine, so that it reads what was measured and no more, whatever the archive says of its
    sizes.
    """
    parts: dict[str, bytes] = {}
    left = MOST_BYTES
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        entries = [
            entry for entry in archive.infolist() if entry.filename.casefold().endswith((".xml", ".rels", "type"))
        ]
        if len(entries) > _MOST_PARTS:
            raise DataError(
                _("{path} has more than {most_parts:,} parts.", path=path, most_parts=_MOST_PARTS), _(_SMALLER)
            )
        for entry in entries:
            if entry.flag_bits & 1:
                raise locked(path)
            with archive.open(entry) as part:
                parts[entry.filename] = part.read(left + 1)
            left -= len(parts[entry.filename])
            if left < 0:
                raise DataError(
                    _(
                        "{path} holds more than {most_bytes:,} MiB once it is unpacked.",
                        path=path,
                        most_bytes=MOST_BYTES // 2**20,
                    ),
                    _(_SMALLER),
                )
    return parts


_SMALLER: Final = N_("Save the sheet with the recipes as a file of its own.")


def _packed(parts: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return packed.getvalue()


# ----------------------------------------------------------------------------------------------------------- measuring

# Attributes by which calamine asks for memory.
_COUNTS: Final = frozenset({"count", "uniqueCount", "c", "number-columns-repeated", "number-rows-repeated"})
_REFERENCE: Final = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_CELLS: Final = frozenset({"table-cell", "covered-table-cell"})


class _Measure:
    """How many cells a workbook comes to, and how many characters they hold once each has its own text."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._elements = 0
        self._cells = 0
        self._characters = 0
        self._strings: list[int] = []  # lengths of the texts that cells of Excel share
        self._uses: Counter[str] = Counter()  # index of such a text -> cells that have it

    def add(self, part: bytes) -> None:
        """Measure one part, which may be a sheet, the shared texts, or anything else.

        Raises:
            ExpatError: it is no XML.
            DataError: it is too large.
        """
        if not part.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \r\n\t").startswith(b"<"):
            return
        self._row = self._column = self._last_row = self._last_column = 0
        self._repeated = self._rows_repeated = 1
        self._shared = self._in_string = False
        self._index: str | None = None  # of the shared text, while it is read
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.StartDoctypeDeclHandler = self._doctype
        parser.Parse(part, True)
        self._close_sheet()

    def require_small(self, sheets: int) -> None:
        """Check what all parts come to.

        Raises:
            DataError: it is too much.
        """
        shared = sum(
            self._strings[int(index)] * uses
            for index, uses in self._uses.items()
            if index.isdecimal() and int(index) < len(self._strings)
        )
        if self._characters + shared > MOST_BYTES:
            self._refuse(
                "{path} holds more than {most_bytes:,} MiB once it is unpacked.", most_bytes=MOST_BYTES // 2**20
            )
        if self._elements * sheets > _MOST_ELEMENTS:
            too_large = N_("{path} is too large: {elements:,} XML elements in {sheets:,} sheets.")
            self._refuse(too_large, elements=self._elements, sheets=sheets)

    def _refuse(self, what: str, **slots: object) -> None:
        raise DataError(_(what, path=self._path, **slots), _(_SMALLER))

    def _doctype(self, *_of: object) -> None:
        self._refuse(N_("{path} has XML that no program writes into a workbook."))

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        local = name.rpartition(":")[2]
        counts = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        for key in counts.keys() & _COUNTS:
            if _number(counts[key]) > _MOST_CELLS:
                self._refuse(N_("{path} says that it has {count} of something."), count=counts[key][:20])
        if local in {"row", "c", "v", "is", "si"}:
            self._start_excel(local, attributes)
        elif local in {"table", "table-row", "p", "s", *_CELLS}:
            self._start_office(local, counts)

    def _start_excel(self, local: str, attributes: dict[str, str]) -> None:
        reference = attributes.get("r", "")
        match local:
            case "row":
                self._row = _number(reference) if reference else self._row + 1
                self._column = 0
            case "c":
                self._column += 1
                if reference:
                    place = _REFERENCE.fullmatch(reference)
                    if place is None:
                        self._refuse(N_("{path} has a cell at {place!r}."), place=reference[:20])
                    else:
                        self._row, self._column = int(place[2]), _column(place[1])
                self._shared = attributes.get("t") == "s"
            case "v" | "is":
                self._index = "" if local == "v" and self._shared else None
                self._fill()
            case "si":
                self._strings.append(0)
                self._in_string = True

    def _start_office(self, local: str, counts: dict[str, str]) -> None:
        match local:
            case "table":
                self._close_sheet()
            case "table-row":
                self._rows_repeated = _number(counts.get("number-rows-repeated", "1"))
                self._row += self._rows_repeated
                self._column = 0
            case "p":
                self._fill()
            case "s":
                self._characters += _number(counts.get("c", "1")) * self._repeated * self._rows_repeated
            case _:
                self._repeated = _number(counts.get("number-columns-repeated", "1"))
                self._column += self._repeated
                if counts.keys() & {"value-type", "formula"}:
                    self._fill()

    def _fill(self) -> None:
        """Take note that the cell has something in it."""
        self._last_row = max(self._last_row, self._row)
        self._last_column = max(self._last_column, self._column)
        if self._cells + self._last_row * self._last_column > _MOST_CELLS:
            far = N_("{path} has more than {most_cells:,} cells, or some that stand far away from the others.")
            self._refuse(far, most_cells=_MOST_CELLS)

    def _close_sheet(self) -> None:
        self._cells += self._last_row * self._last_column
        self._row = self._column = self._last_row = self._last_column = 0

    def _end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local == "si":
            self._in_string = False
        elif local == "v" and self._index is not None:
            self._uses[self._index.strip()] += 1
            self._index = None

    def _data(self, text: str) -> None:
        if self._index is not None:
            self._index += text
        elif self._in_string:
            self._strings[-1] += len(text)
        self._characters += len(text) * self._repeated * self._rows_repeated


def _number(text: str) -> int:
    digits = text.strip().removeprefix("+")
    return int(digits) if digits.isdecimal() and len(digits) < 20 else _MOST_CELLS + 1 if digits.isdecimal() else 1


def _column(letters: str) -> int:
    """``A`` is 1, ``AA`` is 27."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - 64
    return number
