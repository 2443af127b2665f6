"""CSV files -> Recipe objects and a report on every row that gave none.

The way of a file, from top to bottom: bytes, text (decoding), rows (delimiter, columns, quotes), clean fields
(mojibake, entities, spaces), recipe (title, ingredients, steps). Indonesian words are in ``columns.toml``.
"""

import csv
import hashlib
import html
import io
import re
import stat
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain, groupby, islice
from pathlib import Path
from typing import NamedTuple

import ftfy

from koki.errors import DataError, RecipeFileNotFound
from koki.recipes.ingredients import Ingredient, is_staple, parse_ingredients
from koki.recipes.report import DUPLICATE_OF, DataReport, DroppedRow, FileReport, Spread, some

DELIMITERS = (",", ";", "\t", "|")
REQUIRED = ("title", "ingredients", "steps")
LONGEST_FIELD = 20_000  # characters; the longest of 11,751 real rows' fields has 3,231: more is a damaged file

_WORDS = tomllib.loads(files("koki.recipes").joinpath("columns.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Recipe:
    """One recipe, cleaned. Its identity is its content: equal recipes of two files have equal ids.

    Attributes:
        id: 16 hex digits of SHA-256 over title, ingredient lines and steps, case aside.
        title: as the author wrote it, without emoji, hashtags and closing punctuation; ALL CAPS become Title Case.
        ingredients: parsed lines in order, headings included.
        steps: without numbering, sign-offs ("Selamat mencoba") and pure links.
        file: the path as the user gave it.
        line: the physical line of the file on which the row starts; the header is usually line 1.
    """

    id: str
    title: str
    ingredients: tuple[Ingredient, ...]
    steps: tuple[str, ...]
    loves: int | None
    url: str | None
    category: str | None
    file: str
    line: int

    @property
    def main_ingredients(self) -> tuple[str, ...]:
        """The distinct names that make the dish, in order: no headings, no salt, oil or water."""
        names = (name for item in self.ingredients if not item.heading for name in (item.name, *item.others))
        return tuple(dict.fromkeys(name for name in names if name and not is_staple(name)))


def read_recipes(paths: Sequence[str | Path]) -> tuple[list[Recipe], DataReport]:
    """Read recipe files, in order, each recipe once.

    Raises:
        RecipeFileNotFound: a file is missing.
        DataError: a path is not a readable file, a file lacks a column, or no recipe is left.
    """
    recipes: dict[str, Recipe] = {}
    report = DataReport()
    for path in paths:
        report.files.append(_read_file(str(path), recipes))
    if not recipes:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in report.dropped_by_reason.items())
        names = ", ".join(map(str, paths)) or "no file was given"
        raise DataError(
            f"No recipe to learn from: {names}", f"Rows read: {report.rows_read}. Dropped: {reasons or 'none'}."
        )
    kept = list(recipes.values())
    report.lengths = {
        "ingredients": Spread.of([sum(not item.heading for item in recipe.ingredients) for recipe in kept]),
        "steps": Spread.of([len(recipe.steps) for recipe in kept]),
        "characters": Spread.of([_characters(recipe) for recipe in kept]),
    }
    return kept, report


def require_files(paths: Sequence[str | Path]) -> None:
    """Check that every file is there and has its columns, before anything expensive is begun.

    Raises:
        RecipeFileNotFound, DataError: as `read_recipes`.
    """
    for path in map(str, paths):
        text, _ = _decode(_read_bytes(path))
        _find_layout(_lines(text), path)


def _characters(recipe: Recipe) -> int:
    return sum(map(len, (recipe.title, *(item.raw for item in recipe.ingredients), *recipe.steps)))


def _read_file(path: str, recipes: dict[str, Recipe]) -> FileReport:
    """Add the recipes of one file to ``recipes`` (by id) and account for every other row."""
    raw = _read_bytes(path)
    text, encoding = _decode(raw)
    lines = _lines(text)
    layout = _find_layout(lines, path)
    report = FileReport(
        path=path,
        sha256=hashlib.sha256(raw).hexdigest(),
        bytes=len(raw),
        encoding=encoding,
        delimiter=layout.delimiter,
        header=layout.header,
        columns={wanted: layout.header[index] for wanted, index in layout.columns.items()},
        ignored=[name for i, name in enumerate(layout.header) if name and i not in layout.columns.values()],
    )
    notes = _Notes()
    for row in _rows(lines, layout, notes):
        report.rows_read += 1
        recipe = _recipe(row, path, notes)
        if isinstance(recipe, Recipe) and recipe.id in recipes:
            first = recipes[recipe.id]
            recipe = DroppedRow(path, row.line, recipe.title, f"{DUPLICATE_OF}{first.file}:{first.line}")
        if isinstance(recipe, DroppedRow):
            report.dropped.append(recipe)
        else:
            recipes[recipe.id] = recipe
            report.rows_kept += 1
    report.warnings = notes.messages()
    return report


# ---------------------------------------------------------------------------------------------- bytes -> text


def _read_bytes(path: str) -> bytes:
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISDIR(mode):
            raise DataError(f"{path} is a folder, not a recipe file.", "Name the CSV files in it.")
        if not stat.S_ISREG(mode):  # opening a pipe or a device could wait for ever
            raise DataError(f"{path} is not a regular file.", "Save the recipes in a CSV file and name that.")
        raw = Path(path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise RecipeFileNotFound(f"There is no recipe file {path}", "Check the path given as data.") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        raise DataError(f"{path!r} cannot be read: {error}", "Check the path and its permissions.") from error
    if not raw.strip(b"\0\r\n\t \xef\xbb\xbf\xff\xfe"):
        raise DataError(f"{path} is empty.", "It needs a header line and one line for each recipe.")
    if raw.startswith(b"PK\x03\x04"):
        raise DataError(f"{path} is an Excel workbook or a zip archive.", "Save it as CSV (UTF-8) first.")
    return raw


def _decode(raw: bytes) -> tuple[str, str]:
    """Text and the name of its encoding. What cannot be decoded becomes U+FFFD; nothing raises."""
    for mark, codec, name in (
        (b"\xef\xbb\xbf", "utf-8", "UTF-8 with BOM"),
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


# ----------------------------------------------------------------------------------------------- text -> rows


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the file is laid out: its delimiter, and where in the header each wanted column is."""

    delimiter: str
    header: list[str]
    columns: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    fields: dict[str, str]  # wanted column -> its text as the file has it
    problem: str = ""  # why no recipe can be made of the fields


class _Record(NamedTuple):
    line: int
    fields: list[str]
    unclosed: bool  # a quotation mark opened on this line was never closed


class _Notes:
    """Oddities met on the way, each with the lines where it was met."""

    def __init__(self) -> None:
        self._lines: dict[str, list[int]] = {}

    def add(self, line: int, oddity: str) -> None:
        lines = self._lines.setdefault(oddity, [])
        if line not in lines[-1:]:
            lines.append(line)

    def messages(self) -> list[str]:
        return [
            f"{oddity}: {len(lines):,} {'row' if len(lines) == 1 else 'rows'}, at line {some(lines, 10)}"
            for oddity, lines in self._lines.items()
        ]


def _lines(text: str) -> list[str]:
    """The lines of the file as the csv module and every editor count them, line ends kept."""
    return list(io.StringIO(text, newline=""))


def _find_layout(lines: list[str], path: str) -> _Layout:
    """The delimiter under which the header names most of the wanted columns. Raises DataError if one is missing."""
    layouts = [_layout(lines, delimiter) for delimiter in DELIMITERS]
    best = max(layouts, key=lambda it: (len(it.columns.keys() & set(REQUIRED)), len(it.columns), len(it.header)))
    missing = [wanted for wanted in REQUIRED if wanted not in best.columns]
    if missing:
        raise DataError(*_missing_columns(path, best, missing))
    return best


def _layout(lines: list[str], delimiter: str) -> _Layout:
    record = next(_records(lines, delimiter), None)
    header = [" ".join(_repair(name, 1, _Notes()).split()) for name in (record.fields if record else [])]
    places = {_key(name): index for index, name in reversed(list(enumerate(header)))}
    columns: dict[str, int] = {}
    for wanted, synonyms in _WORDS["columns"].items():
        found = [places[key] for key in map(_key, synonyms) if key in places]
        columns |= {wanted: found[0]} if found else {}
    return _Layout(delimiter, header, columns)


def _key(name: str) -> str:
    """A column name without case, spaces and punctuation: ``Cara_Membuat`` is ``caramembuat``."""
    return "".join(filter(str.isalnum, name.casefold()))


def _missing_columns(path: str, layout: _Layout, missing: list[str]) -> tuple[str, str]:
    shown = ", ".join("".join(filter(str.isprintable, name))[:40] for name in layout.header[:20])
    what = f"{path} has no column for {' and '.join(missing)}. Its header is: {shown or '(empty)'}"
    names = "; ".join(f"{wanted}: {', '.join(_WORDS['columns'][wanted])}" for wanted in missing)
    how = f"Name the columns so ({names})."
    if len(layout.header) == 1:
        how += " Only one column was found: Koki knows the delimiters comma, semicolon, tab and |."
    elif any("--" in name for name in layout.header):
        how += " The first line looks like a recipe: is the header line missing?"
    return what, how


def _records(lines: list[str], delimiter: str) -> Iterator[_Record]:
    """The rows that are not blank, each with the number of the line it starts on; the first one is the header.

    A quotation mark that is never closed swallows the rows up to the next one. Such a row is read again as a row
    of one line, and reading goes on with the next line.
    """
    csv.field_size_limit(2**31 - 1)  # length is judged row by row (_rows); csv would give up the whole file
    width = start = 0
    while start < len(lines):
        # A reader for each row knows where the row ends, and costs next to nothing.
        reader = csv.reader(map(lines.__getitem__, range(start, len(lines))), delimiter=delimiter)
        fields, end = next(reader), start + reader.line_num
        unclosed = _has_swallowed_rows(fields, lines[start:end], delimiter, width)
        if unclosed:
            fields, end = _read_alone(lines[start], delimiter, width), start + 1
        if len(fields) > 1 or any(map(str.strip, fields)):
            width = width or len(fields)
            yield _Record(start + 1, fields, unclosed)
        start = end


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


def _rows(lines: list[str], layout: _Layout, notes: _Notes) -> Iterator[_Row]:
    """The rows below the header; what is odd about their form goes into ``notes``."""
    needed = 1 + max(layout.columns[wanted] for wanted in REQUIRED)
    width = len(layout.header)
    for line, fields, unclosed in islice(_records(lines, layout.delimiter), 1, None):
        if unclosed:
            notes.add(line, "a quotation mark is opened and never closed; read to the end of its line")
        if any(fields[width:]):
            notes.add(line, "more fields than the header; text may be in the wrong column")
        elif needed <= len(fields) < width:
            notes.add(line, "fewer fields than the header")
        found = {wanted: fields[index] for wanted, index in layout.columns.items() if index < len(fields)}
        if len(fields) < needed:
            yield _Row(line, found, "too few fields")
        elif max(map(len, found.values())) > LONGEST_FIELD:
            yield _Row(line, found, f"a field is longer than {LONGEST_FIELD:,} characters")
        else:
            yield _Row(line, found)


# ---------------------------------------------------------------------------------------- row -> recipe or not


def _recipe(row: _Row, path: str, notes: _Notes) -> Recipe | DroppedRow:
    if row.problem:
        title = _title(_repair(row.fields.get("title", "")[:200], row.line, notes))
        return DroppedRow(path, row.line, title, row.problem)
    fields = {wanted: _repair(text, row.line, notes) for wanted, text in row.fields.items()}
    title = _title(fields["title"])
    lines = _ingredient_lines(fields["ingredients"])
    steps = _steps(fields["steps"])
    problem = (
        ("" if title else "no title")
        or _nothing_in("ingredients", fields["ingredients"], lines)
        or _nothing_in("steps", fields["steps"], steps)
    )
    if problem:
        return DroppedRow(path, row.line, title, problem)
    return Recipe(
        id=_identity(title, lines, steps),
        title=title,
        ingredients=parse_ingredients(lines),
        steps=tuple(steps),
        loves=_count(fields.get("loves", "")),
        url=_optional(fields.get("url", "")),
        category=_optional(fields.get("category", "")),
        file=path,
        line=row.line,
    )


def _nothing_in(column: str, text: str, items: list[str]) -> str:
    if _is_missing(text):
        return f"{column} are '{text.strip().casefold()}'"
    return "" if items else f"{column} are empty"


def _identity(title: str, lines: list[str], steps: list[str]) -> str:
    # \x1f and \x1e cannot occur in cleaned text, so no two recipes run into the same string.
    content = "\x1e".join("\x1f".join(part) for part in ([title], lines, steps)).casefold()
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _count(text: str) -> int | None:
    """``12`` and ``12.0`` (as pandas writes a column with gaps) are 12; anything else is no count."""
    number = re.fullmatch(r"\s*(\d{1,9})(?:\.0+)?\s*", text)
    return int(number[1]) if number else None


def _optional(text: str) -> str | None:
    cleaned = " ".join(text.split())
    return None if not cleaned or _is_missing(cleaned) else cleaned


def _is_missing(text: str) -> bool:
    return text.strip().casefold() in _MISSING


def _title(text: str) -> str:
    """The dish: no hashtags, emoji, closing punctuation or the word "Resep". Empty when there is none."""
    if _key(text) in _NO_TITLE:
        return ""
    before_hashtags = text.split("#", 1)[0]
    title = before_hashtags if _has_letter(before_hashtags) else text.replace("#", " ")
    title = _NUMBER.sub("", _trim(_EMPTY_BRACKETS.sub("", _clean_line(title.replace("*", " ")))))
    if prefix := _TITLE_PREFIX.match(title):
        title = title[prefix.end()].upper() + title[prefix.end() + 1 :]
    if title.isupper() and len(title) > 3:  # BBQ stays
        title = " ".join(word.capitalize() for word in title.split())
    return title if _has_letter(title) else ""


def _trim(title: str) -> str:
    """Without punctuation, and brackets and quotes that have no partner, at either end."""
    title = title.lstrip(_TITLE_EDGES + ")]}").rstrip(_TITLE_EDGES + "([{")
    for quote in "\"'":
        if title.count(quote) % 2 or (title.count(quote) == 2 and title[0] == title[-1] == quote):
            title = title.strip(quote + _TITLE_EDGES)
    return title


def _ingredient_lines(text: str) -> list[str]:
    if _is_missing(text):
        return []
    text = _without_repetition(text.replace("\\n", "\n"))
    if all(line.lstrip().startswith("-") for line in text.splitlines()):
        text = _GLUED_BULLET.sub("\n", text)
    return _without_numbers([line for line in map(_clean_line, _items(text)) if _has_letter(line)])


def _without_repetition(text: str) -> str:
    """Some sites give the list twice, the second time without its line breaks; the first one is the list."""
    bare = "".join(text.split())
    half = len(bare) // 2
    if "\n" not in text.strip() or bare[:half] != bare[half:]:
        return text
    ends = [place.end() for place in re.finditer(r"\S", text)]
    return text[: ends[half - 1]]


def _without_numbers(lines: list[str]) -> list[str]:
    """Numbers 1., 2., 3. ... that count the lines; a number that counts nothing is a quantity."""
    numbers = [_NUMBER.match(line) for line in lines]
    counted = [int(number[1]) for number in numbers if number]
    if len(counted) < 2 or counted != list(range(1, len(counted) + 1)):
        return lines
    return [line[number.end() :] if number else line for line, number in zip(lines, numbers, strict=True)]


def _steps(text: str) -> list[str]:
    return [] if _is_missing(text) else [step for step in map(_step, _items(text.replace("\\n", "\n"))) if step]


def _step(text: str) -> str:
    """One step without its number, emoticons, hashtags and sign-off; empty when nothing to do is left."""
    step = _cut_end(_clean_line(_EMOTICON.sub(" ", text)), _HASHTAGS)
    step = _NUMBER.sub("", _WORD_NUMBER.sub("", step))
    last_word = _FIRST_WORD.match(step[:-60:-1])  # backwards from the end
    if last_word and _squeezed(last_word[1][::-1]) in _LAST_WORDS:  # seldom true, and cheaper than to search
        step = _cut_end(step, _SIGN_OFF)
    return step if _has_letter(step) and not _LINK.fullmatch(step) else ""


def _cut_end(step: str, ending: re.Pattern[str]) -> str:
    """The step without the ending; only its last 200 characters are searched, however long it is."""
    found = ending.search(step, max(0, len(step) - 200))
    return step[: found.start()].rstrip(" ,;:&-(~#") if found else step


def _squeezed(word: str) -> str:
    """``Mencobaaa`` -> ``mencoba``."""
    return _REPEATED.sub(r"\1", word.casefold())


def _items(text: str) -> list[str]:
    """The items of a field: separated by ``--`` (or more), by newlines, or by the numbers 1, 2, 3 ..."""
    if not _NUMBER_ONE.search(text) and not any(word in text.casefold() for word in _STEP_WORDS):
        return _SEPARATOR.split(text)
    return [item for block in _DASHES.split(text) for item in _numbered_items(block) or block.split("\n")]


def _numbered_items(block: str) -> list[str]:
    """What stands before and between the numbers; empty if they do not count 1, 2 at least.

    A line without a number goes on with the item before it.
    """
    for mark in _MARKS:
        cuts: list[tuple[int, int]] = []
        for number in range(1, 100):
            found = re.compile(mark % number).search(block, cuts[-1][1] if cuts else 0)
            if not found:
                break
            cuts.append(found.span())
        if len(cuts) > 1:
            edges = [0, *chain.from_iterable(cuts), len(block)]
            return [block[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
    return []


# ----------------------------------------------------------------------------------------------- clean text


def _repair(text: str, line: int, notes: _Notes) -> str:
    """Mojibake undone, entities decoded, Unicode composed, spaces and line ends plain, invisible characters out."""
    if "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", _repair_encoding(text, line, notes))
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_CHARACTERS)


def _repair_encoding(text: str, line: int, notes: _Notes) -> str:
    if "\ufffd" in text:
        notes.add(line, "characters that cannot be read were left out")
    if not _MAYBE_MOJIBAKE.search(text):
        return text
    repaired = ftfy.fix_encoding(text).replace("â„¢", "™")  # ftfy does not dare to where nothing else is broken
    if repaired != text:
        notes.add(line, "text saved in a wrong encoding was repaired")
    return repaired


def _clean_line(text: str) -> str:
    """One line of text without emoji, bullets and superfluous space."""
    text = " ".join(text.split())
    if not text.isascii():
        text = " ".join(_EMOJI.sub(" ", _ARROW.sub(", ", text)).split())
    return _SPACE_BEFORE_MARK.sub("", text).strip(_BULLETS)


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))


def _any_of(phrases: Iterable[str]) -> str:
    """A pattern for any of the phrases; a letter may be drawn out ("mencobaaa") and words spaced as one likes."""
    longest_first = sorted(phrases, key=len, reverse=True)
    drawn_out = ("".join(_drawn_out(letter) for letter, _ in groupby(phrase)) for phrase in longest_first)
    return f"(?:{'|'.join(drawn_out)})(?!\\w)"


def _drawn_out(letter: str) -> str:
    return r"[\W_]+" if letter == " " else f"{re.escape(letter)}+"


def _character_table() -> dict[int, str | None]:
    """Spaces of every width become a space; controls, invisible and private characters go."""
    table: dict[int, str | None] = {0xFFFD: None, 0x85: "\n", 0x2028: "\n", 0x2029: "\n"}
    for code in range(0x10000):
        category = unicodedata.category(chr(code))
        if category == "Zs":
            table[code] = " "
        elif category in {"Cc", "Cf", "Co", "Cs"} and chr(code) not in "\t\n\r\x85":
            table[code] = None
    return table


_CHARACTERS = _character_table()
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{1,30});")
# What UTF-8 read in another encoding looks like: a letter or sign below U+0500 followed by one beyond ASCII.
# Nearly no honest text does; ftfy judges the few that do.
_MAYBE_MOJIBAKE = re.compile(r"[\x80-\u04ff\u2261\u251c][^\x00-\x7f]|[ÂÃ] ")
_EMOJI = re.compile(
    "[\u00a9\u00ae\u2122\u20e3\u2300-\u23ff\u2500-\u27bf\u2b00-\u2bff\u3030\u303d\u3297\u3299\ufe00-\ufe0f"
    "\U0001f000-\U0001fbff\U000e0000-\U000e01ef]+"
)
_ARROW = re.compile(r"(?<=[\w)]) ?[》»→⇒➔➜➡►▶⏩]+\ufe0f? ?(?=[\w(])|[》»→⇒]")
_SPACE_BEFORE_MARK = re.compile(r" (?=[.,!?)](?!\d))")
_EMOTICON = re.compile(r"(?<!\S)(?:[:;=]-?(?:\)+|[DP])|\^[_.]?\^|<3)(?!\w)")
_HASHTAGS = re.compile(r"(?:#(?<!^#)[A-Za-z]\w*\s*)+$")  # not at the start of a step: there # marks a heading
_BULLETS = " \t-–—•·*>_=~|<"
_TITLE_EDGES = _BULLETS + ".,;:!?/\\&+^…@#"
_EMPTY_BRACKETS = re.compile(r"[(\[{]\s*[)\]}]")
_GLUED_BULLET = re.compile(r"(?<=[^\s-])- (?=\d)")
_DASHES = re.compile(r"-{2,}")
_SEPARATOR = re.compile(r"-{2,}|\n")
_LINK = re.compile(r"\W*(?:https?://|www\.)\S+", re.IGNORECASE)

_STEP_WORDS = tuple(_WORDS["words"]["step_numbers"])
_STEP_NUMBERS = "|".join(_STEP_WORDS)
_NUMBER = re.compile(r"^\(?(\d{1,2})\s?(?:\.?\)|\.(?!\d))\s*")
_WORD_NUMBER = re.compile(rf"^(?:{_STEP_NUMBERS})\s*\d{{1,2}}\s*[.):=-]+\s*", re.IGNORECASE)
_NUMBER_ONE = re.compile(r"(?m:^)[^\w\n]*1\s?[.)]")
# Where the number %d stands: after a word for "step", at the start of a line, within the line.
_MARKS = (
    rf"(?i:{_STEP_NUMBERS})\s*%d\s*[.:)=]*",
    r"(?m:^)[ \t(]*%d\s?(?:\.?\)|\.(?!\d))",
    r"(?<![\w,.])%d\s?(?:\.?\)|\.(?!\d))",
)

_MISSING = frozenset(_WORDS["words"]["missing"])
_NO_TITLE = frozenset(map(_key, ["", *_WORDS["words"]["missing"], *_WORDS["words"]["no_title"]]))
_TITLE_PREFIX = re.compile(rf"^(?:{_any_of(_WORDS['words']['title_prefixes'])})\s*:?\s*(?=\w)", re.IGNORECASE)

_FIRST_WORD = re.compile(r"[\W_]*([^\W_]+)")
_REPEATED = re.compile(r"(.)\1+")
_WISHES = _WORDS["sign_offs"]
_WISH = _any_of(_WISHES["phrases"])
_ENDING = _any_of(_WISHES["phrases"] + _WISHES["sentences"])
_BEFORE = rf"(?:{_any_of(_WISHES['before'])}[\W_]+)*"
# A wish may follow the step without punctuation; an ending must be a sentence of its own.
_SIGN_OFF = re.compile(
    rf"(?:(?:^|(?<=[^\w\s])\s*){_BEFORE}{_ENDING}|\b{_BEFORE}{_WISH})"
    # Atomic: "ibu ibu" is one phrase or two, and trying all ways to read forty of them would never end.
    rf"(?>(?:[\W_]+(?:{_ENDING}|{_any_of(_WISHES['after'])}))*)[\W_]*$",
    re.IGNORECASE,
)
_LAST_WORDS = frozenset(_squeezed(phrase.split()[-1]) for kind in _WISHES.values() for phrase in kind)
