"""What the reader found in the recipe files: the account behind ``koki check``."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final, Self

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from koki.errors import DataError
from koki.files import hub_path, require_ours
from koki.language import _, ngettext, number
from koki.recipes.findings import Oddity, Reason
from koki.recipes.recipe import place_of
from koki.terminal import harmless

# The first line of a list of dropped rows.
_DROPPED_HEADER: Final = "file,sheet,line,reason,title\n"


@dataclass(frozen=True, slots=True)
class DroppedRow:
    """A row that gave no recipe, and why; ``of`` is the place (file:line) of the recipe that it repeats.

    ``sheet`` is that of a workbook, and empty for other files.
    """

    file: str
    line: int
    title: str
    reason: Reason
    of: str = ""
    sheet: str = ""

    @classmethod
    def of_dict(cls, fields: Mapping[str, Any]) -> Self:
        """The row with these fields, as JSON gives them back."""
        return cls(**{**fields, "reason": Reason(fields["reason"])})

    @property
    def explained(self) -> str:
        """The reason with the place it names."""
        return f"{self.reason} of {self.of}" if self.of else self.reason


@dataclass(frozen=True, slots=True)
class Warned:
    """An oddity: how many rows (of a sheet) have it, the lines of the first ones, and the option that may mend it."""

    oddity: Oddity
    rows: int
    lines: list[int]
    sheet: str = ""
    option: str = ""

    def __str__(self) -> str:
        rows = ngettext("{count:,} row", "{count:,} rows", self.rows)
        where = _("of sheet {sheet}, at row", sheet=self.sheet) if self.sheet else _("at line")
        lines = _with_more(", ".join(map(str, self.lines)), self.rows - len(self.lines))
        said = f"{_(self.oddity)}: {rows}, {where} {lines}"
        return said + _("; perhaps {option}", option=self.option) if self.option else said


@dataclass(slots=True)
class FileReport:
    """What one file is and what became of its rows."""

    path: str
    sha256: str
    bytes: int
    encoding: str
    delimiter: str
    header: list[str]
    columns: dict[str, str]  # wanted name -> the name it has in the header
    ignored: list[str]  # names in the header that Koki has no use for
    rows_read: int = 0
    rows_kept: int = 0
    dropped: list[DroppedRow] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)  # of a workbook, that were read
    sheets_unread: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Spread:
    """The smallest, middle and largest of a set of counts."""

    min: int
    median: float
    max: int

    @classmethod
    def of(cls, counts: Sequence[int]) -> "Spread":
        """The spread of these counts.

        Raises:
            ValueError: there are none.
        """
        return cls(min(counts), median(counts), max(counts))


@dataclass(slots=True)
class DataReport:
    """The account of all files together. ``lengths`` has ingredients, steps and characters of the kept recipes."""

    files: list[FileReport] = field(default_factory=list)
    lengths: dict[str, Spread] = field(default_factory=dict)

    @property
    def rows_read(self) -> int:
        return sum(file.rows_read for file in self.files)

    @property
    def rows_kept(self) -> int:
        return sum(file.rows_kept for file in self.files)

    @property
    def dropped(self) -> list[DroppedRow]:
        return [row for file in self.files for row in file.dropped]

    @property
    def dropped_by_reason(self) -> dict[Reason, int]:
        """How many rows were dropped for each reason, the commonest first."""
        return dict(Counter(row.reason for row in self.dropped).most_common())

    @property
    def duplicates(self) -> int:
        """Rows that say word for word what another says."""
        return self.dropped_by_reason.get(Reason.DUPLICATE, 0)

    @property
    def near_duplicates(self) -> int:
        """Rows that say the same as another up to small edits."""
        return self.dropped_by_reason.get(Reason.NEAR_DUPLICATE, 0)

    def as_dict(self) -> dict[str, Any]:
        """The whole report in types that JSON knows."""
        return {
            "rows_read": self.rows_read,
            "rows_kept": self.rows_kept,
            "duplicates": self.duplicates,
            "near_duplicates": self.near_duplicates,
            "dropped_by_reason": self.dropped_by_reason,
            "lengths": {name: asdict(spread) for name, spread in self.lengths.items()},
            "files": [asdict(file) for file in self.files],
        }

    def save_dropped(self, path: Path) -> None:
        """Write the dropped rows as CSV: file, sheet, line, reason, title.

        Raises:
            ConfigError: there is a file that is no earlier list of dropped rows.
            DataError: the file cannot be written.
        """
        try:
            require_ours(path, _DROPPED_HEADER)
            # a path may hold bytes that are no text, which Python carries as lone surrogates
            with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                file.write(_DROPPED_HEADER)
                writer = csv.writer(file, lineterminator="\n")
                for row in self.dropped:
                    cells = (row.file, row.sheet, row.line, row.explained, row.title)
                    writer.writerow([_shown_as_text(cell) if isinstance(cell, str) else cell for cell in cells])
        except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
            raise DataError(
                _("{path} cannot be written: {error}", path=path, error=error), _("Check the path given as --output.")
            ) from error

    def render(self) -> RenderableType:
        """What a terminal shows: the files, their columns, the dropped rows, the warnings, the lengths."""
        names = {path: harmless(name) for path, name in _short_names([file.path for file in self.files]).items()}
        parts: list[RenderableType] = [self._files_table(names), *self._columns(names)]
        parts += [self._dropped_table(names)] if self.dropped else []
        warnings = (f"{names[file.path]}: {warning}" for file in self.files for warning in file.warnings)
        parts += [Text(warning, style="yellow") for warning in warnings]
        parts += [self._lengths_table()] if self.lengths else []
        return Group(*parts)

    def _files_table(self, names: dict[str, str]) -> Table:
        folders = {hub_path(folder) or folder for folder in (str(Path(path).parent) for path in names)} - {"."}
        title = _("Files in {folder}", folder=folders.pop()) if len(folders) == 1 else _("Files")
        table = Table(title=escape(title), title_justify="left", show_footer=len(self.files) > 1)
        table.add_column(_("file"), footer=_("all files"), no_wrap=True)
        table.add_column(_("encoding"))
        table.add_column(_("delimiter"))
        table.add_column(_("rows"), footer=number(self.rows_read), justify="right")
        table.add_column(_("kept"), footer=number(self.rows_kept), justify="right", style="green")
        table.add_column(_("dropped"), footer=number(len(self.dropped)), justify="right", style="red")
        for file in self.files:
            delimiter = _("tab") if file.delimiter == "\t" else file.delimiter
            numbers = map(number, (file.rows_read, file.rows_kept, len(file.dropped)))
            table.add_row(Text(names[file.path]), file.encoding, delimiter, *numbers)
        return table

    def _columns(self, names: dict[str, str]) -> Iterator[Text]:
        """How the headers were understood, in one line for all files that have the same."""
        alike: dict[str, list[str]] = {}
        for file in self.files:
            alike.setdefault(_header(file), []).append(names[file.path])
        for header, files in alike.items():
            yield Text(
                _("Columns of {files}: {header}", files=some(files, 3), header=header)
                if len(alike) > 1
                else _("Columns: {header}", header=header)
            )

    def _dropped_table(self, names: dict[str, str]) -> Table:
        table = Table(title=_("Dropped rows"), title_justify="left")
        table.add_column(_("reason"))
        table.add_column(_("rows"), justify="right")
        table.add_column(_("where (file:line)"), overflow="fold")
        for reason, count in self.dropped_by_reason.items():
            rows = (row for row in self.dropped if row.reason == reason)
            places = [place_of(names[row.file], row.sheet, row.line) for row in rows]
            table.add_row(_(reason), number(count), Text(some(places, 3)))
        return table

    def _lengths_table(self) -> Table:
        table = Table(title=_("Kept recipes"), title_justify="left")
        table.add_column(_("per recipe"))
        for heading in (_("least"), _("median"), _("most")):
            table.add_column(heading, justify="right")
        for name, spread in self.lengths.items():
            table.add_row(_(name), number(spread.min), number(spread.median, ",g"), number(spread.max))
        return table


def _shown_as_text(cell: str) -> str:
    """A text on one line that a spreadsheet shows: one that starts so it would take for a formula, and run."""
    line = cell.replace("\r", " ")
    return f"'{line}" if line.lstrip().startswith(("=", "+", "-", "@")) else line


def some(items: Sequence[object], shown: int) -> str:
    """The first items in words, and how many more there are: "2, 7, 9 and 4 more"."""
    return _with_more(", ".join(map(str, items[:shown])), len(items) - shown)


def _with_more(listed: str, more: int) -> str:
    return _("{listed} and {more:,} more", listed=listed, more=more) if more > 0 else listed


def _short_names(paths: Sequence[str]) -> dict[str, str]:
    """Path -> its shortest end that no other path has: the file's name, with its folder where names repeat."""
    count = Counter(end for path in set(paths) for end in _ends(path))
    return {path: next((end for end in _ends(path) if count[end] == 1), path) for path in paths}


def _ends(path: str) -> list[str]:
    parts = Path(path).parts
    return [str(Path(*parts[start:])) for start in reversed(range(len(parts)))]


def _header(file: FileReport) -> str:
    """How a header was understood, where a column has another name in the file, and which sheets were read."""
    mapped = [wanted if wanted == found.casefold() else f"{wanted} ← {found}" for wanted, found in file.columns.items()]
    ignored = _("; ignored: {names}", names=", ".join(file.ignored)) if file.ignored else ""
    sheets = _("; sheets: {names}", names=", ".join(file.sheets)) if file.sheets else ""
    unread = _("; not read: {names}", names=", ".join(file.sheets_unread)) if file.sheets_unread else ""
    return "".join([", ".join(mapped), ignored, sheets, unread])
