"""What a file is that holds no recipes as text or table: by its first bytes, whatever it is called."""

import io
import re
import zipfile
import zlib
from typing import Final, NamedTuple

from koki.errors import DataError
from koki.language import N_, _
from koki.recipes.sources import Source


class _Kind(NamedTuple):
    """A kind of file.

    Attributes:
        name: what it is called.
        how: how to get a file of it that Koki reads.
        marks: patterns of its first bytes.
    """

    name: str
    how: str
    marks: tuple[bytes, ...]


_TYPE_IT: Final = N_("Type the recipes into a text file (.txt: title, Bahan, Cara membuat) or a table (.xlsx, .csv).")
_AS_TEXT: Final = N_("Open it and save it as plain text (.txt), or copy the recipes into a table (.xlsx, .csv).")
_AS_TABLE: Final = N_("Open it and save it as .xlsx or CSV (UTF-8).")
_UNPACK: Final = N_("Unpack it, and name the files in it that have the recipes.")
_UNLOCK: Final = N_("Open it, take the password off, and save it again.")
_EXPORT: Final = N_(
    "Export the table with the recipes as CSV (in phpMyAdmin: Export, format CSV, column names in the first row)."
)

_KINDS: Final = (
    _Kind(
        N_("a picture"),
        _TYPE_IT,
        (
            *(rb"\x89PNG\r\n", rb"\xff\xd8\xff", rb"GIF8[79]a", rb"BM.{4}\0\0\0\0", rb"II\*\0|MM\0\*"),
            *(rb"RIFF.{4}WEBP", rb".{4}ftyp(?:heic|heix|heif|mif1|avif)"),
        ),
    ),
    _Kind(N_("a video"), _TYPE_IT, (rb".{4}ftyp", rb"\x1aE\xdf\xa3", rb"RIFF.{4}AVI ")),
    _Kind(N_("a sound recording"), _TYPE_IT, (rb"OggS", rb"ID3", rb"RIFF.{4}WAVE", rb"#!AMR")),
    _Kind(N_("a PDF"), _AS_TEXT, (rb"\s*%PDF-",)),
    _Kind(N_("a text with formatting (RTF)"), _AS_TEXT, (rb"\{\\rtf",)),
    _Kind(N_("an SQLite database"), _EXPORT, (rb"SQLite format 3\0",)),
    _Kind(N_("an archive"), _UNPACK, (rb"Rar!\x1a\x07", rb"7z\xbc\xaf", rb"\xfd7zXZ", rb"BZh[1-9]1AY")),
)
_PATTERNS: Final = tuple((re.compile(b"|".join(kind.marks), re.DOTALL), kind) for kind in _KINDS)

# Files of Office from before 2007, and those of today that are locked with a password, are both of this form.
_COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STREAMS: Final = (
    (
        "EncryptedPackage",
        N_("{path} is locked with a password."),
        _UNLOCK,
    ),
    ("WordDocument", N_("{path} is a document of Word."), _AS_TEXT),
    ("PowerPoint Document", N_("{path} is a presentation."), _AS_TEXT),
    ("Workbook", N_("{path} is a workbook of an old Excel (.xls)."), _AS_TABLE),
    ("Book", N_("{path} is a workbook of an old Excel (.xls)."), _AS_TABLE),
)
# A part of a zip archive that tells what it is.
_CONTENTS: Final = (
    ("xl/workbook.bin", N_("a binary workbook of Excel (.xlsb)"), _AS_TABLE),
    ("word/", N_("a document of Word"), _AS_TEXT),
    ("ppt/", N_("a presentation"), _AS_TEXT),
    ("Index/", N_("a document of Pages, Numbers or Keynote"), N_("Export it as .xlsx, CSV or plain text.")),
    ("META-INF/container.xml", N_("an e-book"), _AS_TEXT),
    ("content.xml", N_("a document of LibreOffice"), _AS_TEXT),
)
_SPREADSHEET: Final = b"application/vnd.oasis.opendocument.spreadsheet"


def require_text_or_table(source: Source) -> None:
    """Check that a file is none of those that Koki knows and cannot read.

    Raises:
        DataError: it is one; the error says what it is, and how to get the recipes out of it.
    """
    for pattern, kind in _PATTERNS:
        if pattern.match(source.head):
            what = _("{path} is {what}, which Koki cannot read.", path=source.path, what=_(kind.name))
            raise DataError(what, _(kind.how))
    if source.head.startswith(_COMPOUND):
        _refuse_compound(source.whole(), source.path)


def _refuse_compound(raw: bytes, path: str) -> None:
    for stream, what, how in _STREAMS:
        if stream.encode("utf-16-le") in raw:
            raise DataError(_(what, path=path), _(how))
    raise DataError(_("{path} is a file of an old version of Office.", path=path), _(_AS_TEXT))


def is_archive(source: Source) -> bool:
    """Whether a file is a zip archive, which workbooks are too."""
    return not source.is_packed and source.head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def require_workbook(raw: bytes, path: str) -> None:
    """Check that a zip archive is a workbook of Excel or LibreOffice.

    Raises:
        DataError: it is something else.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = archive.namelist()
            kind = archive.open("mimetype").read(len(_SPREADSHEET)) if "mimetype" in names else b""
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError, RuntimeError) as error:
        raise DataError(
            _("{path} is a damaged workbook or zip archive: {error}", path=path, error=error),
            _("Copy it again, or open it and save it as CSV (UTF-8)."),
        ) from error
    if "xl/workbook.xml" in names or kind == _SPREADSHEET:
        return
    for part, what, how in _CONTENTS:
        if any(name.startswith(part) for name in names):
            raise DataError(_("{path} is {what}, which Koki cannot read.", path=path, what=_(what)), _(how))
    raise DataError(_("{path} is a zip archive.", path=path), _(_UNPACK))


_SQL: Final = re.compile(
    r"\s*(?:(?:--|#|/\*)[^\n]*\n\s*)*(?:CREATE\s+(?:TABLE|DATABASE)|INSERT\s+INTO|DROP\s+TABLE|SET\s+[\w@]+\s*="
    r"|PRAGMA\s|BEGIN\s+TRANSACTION|USE\s+`|LOCK\s+TABLES)",
    re.IGNORECASE,
)


def require_no_sql(text: str, path: str) -> None:
    """Check that a text is no dump of a database.

    Raises:
        DataError: it is one.
    """
    if _SQL.match(text[:20_000]):
        raise DataError(_("{path} is a dump of an SQL database.", path=path), _(_EXPORT))
