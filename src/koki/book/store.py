"""The book: a chef's recipes and tips in one SQLite file, looked up in milliseconds, and added to while it is read.

Several programs, and threads, may read it while one writes. What is written is there whole or not at all, whatever
kills the writer: SQLite keeps a log beside the file (WAL) until that is so.
"""

import json
import os
import sqlite3
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from threading import RLock
from typing import Final, Self

from koki.book import grams, index
from koki.book.naming import title_key, told_apart
from koki.book.pantry import Suggestion, used_of
from koki.book.reading import Page
from koki.book.titles import spoken
from koki.errors import BookError
from koki.files import failing_as, flush_file, flush_folder, published_name
from koki.gc_paused import gc_paused
from koki.ingredients.lexicon import fold
from koki.ingredients.parse import parse_ingredients
from koki.language import N_, _
from koki.recipes.recipe import Recipe

_KOKI: Final = 0x4B6F6B69  # "Koki", SQLite's application_id of a book
_FORMAT: Final = 1
_SCHEMA: Final = (
    "CREATE TABLE recipe (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, "
    "title_key TEXT NOT NULL, size INTEGER NOT NULL, ingredients TEXT NOT NULL, steps TEXT NOT NULL, loves INTEGER, "
    "url TEXT, category TEXT, file BLOB NOT NULL, line INTEGER NOT NULL, sheet TEXT NOT NULL)",
    "CREATE INDEX recipe_rank ON recipe (-ifnull(loves, 0), id)",
    "CREATE INDEX recipe_title ON recipe (title_key, -ifnull(loves, 0), -size, id)",
    "CREATE TABLE dish (number INTEGER PRIMARY KEY, name TEXT NOT NULL, low TEXT NOT NULL UNIQUE)",
    "CREATE TABLE tip (number INTEGER PRIMARY KEY, topic TEXT NOT NULL, text TEXT NOT NULL, questions TEXT NOT NULL, "
    "UNIQUE (topic, text))",
    "CREATE VIRTUAL TABLE tip_words USING fts5 (topic, questions, text, content='tip', content_rowid='number', "
    "tokenize='unicode61 remove_diacritics 2')",
    *index.SCHEMA,
    *grams.SCHEMA,
)
_WAIT: Final = 5.0  # seconds for which a writer waits for another
_MOST_LOOKED_AT: Final = 1000  # the best-loved dishes with an ingredient, of which those named for it come first
_MOST_WORDS: Final = 50  # of a question for a tip

# The tables that FTS5 makes for itself.
_OF_FTS5: Final = frozenset(f"tip_words_{name}" for name in ("data", "idx", "docsize", "config"))
# What is raised where that stands in a file which no book has: somebody else may have written it.
_NOT_AS_WRITTEN: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
# Of the columns of a recipe, as it is read.
_KINDS: Final = (str, str, str, str, int | None, str | None, str | None, bytes, int, str)

_OTHERWISE: Final = N_("Take it away, and make a new one: `koki book add RUN FILE...`.")


@dataclass(frozen=True, slots=True)
class StoredTip:
    """A tip as a book keeps it.

    Attributes:
        questions: that it answers; it is found by their words, and by those of its topic and text.
    """

    topic: str
    text: str
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Added:
    """What was added, and what was in the book already."""

    recipes: int
    known: int
    tips: int


class Book:
    """Recipes and tips in one file. It may be used by several threads.

    A lookup raises `BookError` where the file was damaged, or is locked for long.

    >>> from koki import Book
    >>> with Book.open("runs/warung/book.sqlite") as book:
    ...     print(book.find("soto ayam").recipe.steps[0])
    Rebus ayam sampai empuk.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._lock = RLock()
        self._recipe_of = lru_cache(maxsize=256)(self._read_recipe)
        self._dishes = index.StoredDishes(connection, self._recipe_of)

    # ------------------------------------------------------------------------------------------------ open and close

    @classmethod
    def create(cls, path: str | Path) -> Self:
        """An empty book, to write to.

        Raises:
            BookError: something is there, or it cannot be written.
        """
        path = Path(path)
        if path.exists():
            raise BookError(_("{path} is there already.", path=path), _("Open it, or take it away."))
        with _told(path):
            connection = _connect(f"{_uri(path)}?mode=rwc")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_KOKI}")
            connection.execute(f"PRAGMA user_version = {_FORMAT}")
            connection.execute("COMMIT")
        return cls(path, connection)

    @classmethod
    def open(cls, path: str | Path, *, write: bool = False) -> Self:
        """The book at a path, to read, or to write to as well.

        Raises:
            BookError: it is not there, is no book, was changed by another program, or a newer Koki wrote it.
        """
        path = Path(path)
        if not path.is_file():
            raise BookError(
                _("There is no book {path}.", path=path),
                _("`koki book add {folder} FILE...` makes one.", folder=path.parent),
            )
        with _told(path):
            connection = _connect(f"{_uri(path)}?mode=rw")
            try:
                _require_book(path, connection)
            except sqlite3.OperationalError:
                # A log needs a file beside it, which cannot be made in a folder that is read-only; so nobody writes.
                connection.close()
                if write:
                    raise
                connection = _connect(f"{_uri(path)}?immutable=1")
                _require_book(path, connection)
            connection.execute("PRAGMA journal_mode = WAL" if write else "PRAGMA query_only = 1")
        return cls(path, connection)

    @classmethod
    def write(cls, path: str | Path, recipes: Sequence[Recipe], tips: Iterable[StoredTip] = ()) -> Added:
        """Write a new book in place of the one that is there, if any: beside it, then renamed.

        Raises:
            BookError: it cannot be written; what was there is there still.
        """
        path = Path(path)
        beside = path.with_name(f".{path.name}.new")
        with failing_as(BookError, path):
            return cls._write(path, beside, recipes, tips)

    @classmethod
    def _write(cls, path: Path, beside: Path, recipes: Sequence[Recipe], tips: Iterable[StoredTip]) -> Added:
        _remove(beside)
        try:
            with cls.create(beside) as book:
                # Nobody reads it yet, and what is not written to the end is thrown away.
                for pragma in ("journal_mode = OFF", "synchronous = OFF"):
                    book._connection.execute(f"PRAGMA {pragma}")
                added = book.add(recipes, tips)
                book._connection.execute("PRAGMA journal_mode = DELETE")  # who only reads leaves no log beside it
            flush_file(beside)
            for log in _logs(path):  # what a crash has left of the one before
                log.unlink(missing_ok=True)
            beside.replace(path)
        except BaseException:
            with suppress(OSError):
                _remove(beside)
            raise
        flush_folder(path.parent)
        return added

    def close(self) -> None:
        """Close the file; nothing can be looked up afterwards."""
        with self._lock:
            self._connection.close()

    def copy(self, path: str | Path) -> None:
        """Write the book as it is now to another path, where nothing is.

        Raises:
            BookError: it cannot be written.
        """
        with self._lock, _told(Path(path)), closing(sqlite3.connect(path)) as other:
            self._connection.backup(other)
            other.execute("PRAGMA journal_mode = DELETE")  # who only reads it leaves no log beside it

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --------------------------------------------------------------------------------------------------------- change

    def add(self, recipes: Sequence[Recipe], tips: Iterable[StoredTip] = ()) -> Added:
        """Add recipes and tips, all of them or, should anything fail, none; what is in the book already is left out.

        A recipe gets a name that no other has (`koki.book.naming.names_of`); those in the book keep theirs. Of a file
        that lies elsewhere only the name is kept, since a run folder is given to others.

        Raises:
            BookError: the book cannot be written, or another program is writing to it.
        """
        with gc_paused(), self._writing():
            new_tips = sum(map(self._add_tip, tips))
            last, writer = self._last_number(), index.IndexWriter(self._connection)
            places = array("q")  # of those that are new, whose numbers follow the last one
            for place, recipe in enumerate(recipes):
                if self._insert(last + len(places) + 1, recipe):
                    places.append(place)
                    writer.add(last + len(places), recipe)

            def recipe_of(number: int) -> Recipe:
                return recipes[places[number - last - 1]] if number > last else self._read_recipe(number)

            if places:
                self._name_those_after(last, recipe_of)
                writer.finish()
        return Added(len(places), len(recipes) - len(places), new_tips)

    def remove(self, name_or_id: str) -> Recipe:
        """Take out a recipe, by its name (capitals aside) or its id.

        Returns:
            The recipe.

        Raises:
            BookError: it is not there, or the book cannot be written.
        """
        with self._writing():
            number = self._find(name_or_id)
            if number is None:
                nearest = ", ".join(name for _, name in self._names_like(name_or_id, 3))
                raise BookError(
                    _("{name_or_id!r} is not in {path}.", name_or_id=name_or_id, path=self._path),
                    _("Did you mean: {nearest}?", nearest=nearest) if nearest else "",
                )
            recipe = self._recipe_of(number)
            names, writer = grams.GramWriter(self._connection), index.IndexWriter(self._connection)
            names.remove(number)
            writer.remove(number)
            self._connection.execute("DELETE FROM dish WHERE number = ?", (number,))
            self._connection.execute("DELETE FROM recipe WHERE number = ?", (number,))
            writer.finish()
        return recipe

    def _insert(self, number: int, recipe: Recipe) -> bool:
        row = (
            number,
            recipe.id,
            recipe.title,
            title_key(spoken(recipe.title)),
            len(recipe.ingredients) + len(recipe.steps),
            json.dumps([item.raw for item in recipe.ingredients], ensure_ascii=False),
            json.dumps(recipe.steps, ensure_ascii=False),
            recipe.loves,
            recipe.url,
            recipe.category,
            os.fsencode(published_name(recipe.file)),  # a path may hold bytes that are no text
            recipe.line,
            recipe.sheet,
        )
        values = ", ".join("?" * len(row))
        return self._connection.execute(f"INSERT OR IGNORE INTO recipe VALUES ({values})", row).rowcount > 0

    def _add_tip(self, tip: StoredTip) -> bool:
        row = (tip.topic, tip.text, json.dumps(tip.questions, ensure_ascii=False))
        added = self._connection.execute("INSERT OR IGNORE INTO tip (topic, text, questions) VALUES (?, ?, ?)", row)
        if added.rowcount < 1:
            return False
        self._connection.execute(
            "INSERT INTO tip_words (rowid, topic, questions, text) SELECT number, topic, questions, text FROM tip "
            "WHERE number = ?",
            (added.lastrowid,),
        )
        return True

    def _last_number(self) -> int:
        return int(self._connection.execute("SELECT ifnull(max(number), 0) FROM recipe").fetchone()[0])

    # ---------------------------------------------------------------------------------------------------------- naming

    def _name_those_after(self, last: int, recipe_of: Callable[[int], Recipe]) -> None:
        """Name the recipes whose number is larger: first those that can have their bare title, then the others."""
        shared = []
        rows = self._connection.execute(
            "SELECT title_key, recipe.number, title, name IS NULL FROM recipe LEFT JOIN dish USING (number) "
            "WHERE title_key IN (SELECT title_key FROM recipe WHERE number > ?) "
            "ORDER BY title_key, -ifnull(loves, 0), -size, id",
            (last,),
        )
        for key, group in groupby(rows, key=lambda row: row[0]):
            members = [(number, title, unnamed) for _, number, title, unnamed in group]
            if all(unnamed for _, _, unnamed in members):
                number, title, _ = members.pop(0)
                if not self._name(number, spoken(title)):
                    shared.append(key)
            if members:
                shared.append(key)
        for key in dict.fromkeys(shared):
            self._tell_apart(key, recipe_of)
        names = grams.GramWriter(self._connection)
        for number, name in self._connection.execute(
            "SELECT number, name FROM dish WHERE number > ? ORDER BY number", (last,)
        ):
            names.add(number, name)
        names.finish()

    def _tell_apart(self, key: str, recipe_of: Callable[[int], Recipe]) -> None:
        """Name those of one title that have no name yet."""
        rows = self._connection.execute(
            "SELECT recipe.number, title FROM recipe LEFT JOIN dish USING (number) "
            "WHERE title_key = ? AND name IS NULL ORDER BY -ifnull(loves, 0), -size, id",
            (key,),
        )
        numbers, titles = zip(*rows.fetchall(), strict=True)
        first = recipe_of(self._first_of(titles[0], key))
        for number, name in zip(numbers, told_apart(first, map(recipe_of, numbers), self._is_taken), strict=True):
            self._name(number, name)

    def _first_of(self, title: str, key: str) -> int:
        """The number of who has a bare title: as it is written or, where nobody has, in another spelling."""
        low = spoken(title).lower()
        row = self._connection.execute("SELECT number FROM dish WHERE low = ?", (low,)).fetchone()
        row = (
            row
            or self._connection.execute(
                "SELECT min(dish.number) FROM dish JOIN recipe USING (number) WHERE title_key = ?", (key,)
            ).fetchone()
        )
        return int(row[0])

    def _name(self, number: int, name: str) -> bool:
        row = (number, name, name.lower())
        return self._connection.execute("INSERT OR IGNORE INTO dish VALUES (?, ?, ?)", row).rowcount > 0

    def _is_taken(self, low: str) -> bool:
        return self._connection.execute("SELECT 1 FROM dish WHERE low = ?", (low,)).fetchone() is not None

    # --------------------------------------------------------------------------------------------------------- look up

    def __len__(self) -> int:
        with self._reading() as dishes:
            return len(dishes)

    def page(self, recipe_id: str) -> Page:
        """The page of a recipe.

        Raises:
            BookError: it is not in the book.
        """
        with self._reading():
            row = self._connection.execute("SELECT number FROM recipe WHERE id = ?", (_text(recipe_id),)).fetchone()
            if row is None:
                raise BookError(_("There is no recipe {recipe_id!r} in {path}.", recipe_id=recipe_id, path=self._path))
            return self._page(row[0])

    def pages(self) -> Iterator[Page]:
        """All pages, in the order in which they were added; those added meanwhile come too."""
        number = 0
        while True:
            with self._reading():
                row = self._connection.execute(
                    "SELECT number FROM recipe WHERE number > ? ORDER BY number LIMIT 1", (number,)
                ).fetchone()
                if row is None:
                    return
                (number,) = row
                page = self._page(number)
            yield page

    def find(self, name_or_id: str) -> Page | None:
        """The page of a dish by its name (capitals aside) or its recipe's id; None where there is none."""
        with self._reading():
            number = self._find(name_or_id)
            return None if number is None else self._page(number)

    def names_like(self, text: str, limit: int = 50) -> list[tuple[str, str]]:
        """The ids and names of the dishes whose names are most like a text, the likest first: candidates to be ranked.

        The text may be a name or a whole question, in any spelling.
        """
        with self._reading():
            return self._names_like(text, limit)

    def with_ingredient(self, name: str, limit: int) -> list[Page]:
        """Dishes with this ingredient or a kind of it: of the thousand best-loved those named for it come first."""
        with self._reading() as dishes:
            places = dishes.places_with_any([name])
            found = [dishes.number_at(int(place)) for place in places[:_MOST_LOOKED_AT]]
            titles = self._title_keys(found)
            called = f" {fold(name)} "
            found.sort(key=lambda number: called not in f" {titles[number]} ")
            return [self._page(number) for number in found[:limit]]

    def knows_ingredient(self, name: str) -> bool:
        """Whether a recipe has this ingredient or a kind of it."""
        with self._reading() as dishes:
            return len(dishes.places_with_any([name])) > 0

    @property
    def changes(self) -> int:
        """How often it has been written to; as long as this is the same, so is the book."""
        with self._reading() as dishes:
            return dishes.changes

    def ingredient_counts(self) -> Counter[str]:
        """The names of what makes the dishes, in small letters, each with the number of its recipes.

        All recipes are read for it: a second for some thousands.
        """
        with self._reading():
            rows = self._connection.execute("SELECT ingredients FROM recipe").fetchall()
        counts = Counter[str]()
        for (lines,) in rows:
            items = parse_ingredients(_texts(lines))
            names = (name for item in items if not item.heading for name in (item.name, *item.others) if name)
            counts.update({name.lower() for name in names})
        return counts

    def what_can_i_cook(self, have: Sequence[str], n: int, without: Sequence[str] = ()) -> list[Page]:
        """The ``n`` dishes that suit best what is at hand; see `koki.book.pantry.Dishes.what_can_i_cook`."""
        with self._reading() as dishes:
            return [self._suggested(have, found) for found in dishes.what_can_i_cook(have, n, without)]

    def tips_like(self, text: str, limit: int = 5) -> list[StoredTip]:
        """The tips that have the most and the rarest words of a text, the best first."""
        words = list(dict.fromkeys(fold(text).split()))[:_MOST_WORDS]
        if not words:
            return []
        wanted = " OR ".join(f'"{word}"' for word in words)
        with self._reading():
            rows = self._connection.execute(
                "SELECT tip.topic, tip.text, tip.questions FROM tip_words JOIN tip ON number = tip_words.rowid "
                "WHERE tip_words MATCH ? ORDER BY bm25(tip_words, 4, 2, 1), number LIMIT ?",
                (wanted, limit),
            )
            return list(map(_tip, rows))

    def tips(self) -> list[StoredTip]:
        """All tips, in the order in which they were added."""
        with self._reading():
            rows = self._connection.execute("SELECT topic, text, questions FROM tip ORDER BY number")
            return list(map(_tip, rows))

    def _names_like(self, text: str, limit: int) -> list[tuple[str, str]]:
        like = grams.numbers_like(self._connection, text, limit, len(self._dishes.look()))
        return [self._id_and_name(number) for number in like]

    def _id_and_name(self, number: int) -> tuple[str, str]:
        row = self._connection.execute(
            "SELECT id, name FROM recipe JOIN dish USING (number) WHERE number = ?", (number,)
        )
        recipe_id, name = row.fetchone()
        return recipe_id, name

    def _find(self, name_or_id: str) -> int | None:
        wanted = _text(name_or_id).strip()
        row = self._connection.execute(
            "SELECT number FROM dish WHERE low = ? UNION ALL SELECT number FROM recipe WHERE id = ?",
            (wanted.lower(), wanted),
        ).fetchone()
        return None if row is None else int(row[0])

    def _title_keys(self, numbers: Sequence[int]) -> dict[int, str]:
        wanted = ", ".join(map(str, numbers))
        return dict(self._connection.execute(f"SELECT number, title_key FROM recipe WHERE number IN ({wanted})"))

    def _suggested(self, have: Sequence[str], found: Suggestion) -> Page:
        (number,) = self._connection.execute("SELECT number FROM recipe WHERE id = ?", (found.recipe.id,)).fetchone()
        page = self._page(number)
        return Page(page.name, page.recipe, used_of(have, found), found.missing)

    def _page(self, number: int) -> Page:
        (name,) = self._connection.execute("SELECT name FROM dish WHERE number = ?", (number,)).fetchone()
        return Page(_text_of(name), self._recipe_of(number))

    def _read_recipe(self, number: int) -> Recipe:
        row = self._connection.execute(
            "SELECT id, title, ingredients, steps, loves, url, category, file, line, sheet FROM recipe "
            "WHERE number = ?",
            (number,),
        ).fetchone()
        if not all(map(isinstance, row, _KINDS)):  # SQLite keeps anything in a column, whatever its type
            raise TypeError(_("a recipe has values of other kinds"))
        recipe_id, title, ingredients, steps, loves, url, category, file, line, sheet = row
        return Recipe(
            id=recipe_id,
            title=title,
            ingredients=parse_ingredients(_texts(ingredients)),
            steps=_texts(steps),
            loves=loves,
            url=url,
            category=category,
            file=os.fsdecode(file),
            line=line,
            sheet=sheet,
        )

    # ---------------------------------------------------------------------------------------------------- transactions

    @contextmanager
    def _reading(self) -> Iterator[index.StoredDishes]:
        """One state of the book, whatever is written meanwhile."""
        with self._lock, _told(self._path), self._transaction("DEFERRED"):
            try:
                yield self._dishes.look()
            except _NOT_AS_WRITTEN as error:
                raise _damaged(self._path, error) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock, _told(self._path), self._transaction("IMMEDIATE"):
            yield
        self._recipe_of.cache_clear()

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[None]:
        self._connection.execute(f"BEGIN {kind}")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=_WAIT, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _logs(path: Path) -> list[Path]:
    """The files that SQLite keeps beside a book while it is open."""
    return [path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal")]


def _remove(path: Path) -> None:
    for file in (path, *_logs(path)):
        file.unlink(missing_ok=True)


def _texts(stored: str) -> tuple[str, ...]:
    """A list of texts, as it is stored.

    Raises:
        ValueError, TypeError, RecursionError: it is something else.
    """
    return tuple(map(_text_of, json.loads(stored)))


def _text_of(stored: object) -> str:
    if not isinstance(stored, str):
        raise TypeError(_("{value!r:.40} stands for a text", value=stored))
    return stored


def _tip(row: tuple[object, object, str]) -> StoredTip:
    topic, said, questions = row
    return StoredTip(_text_of(topic), _text_of(said), _texts(questions))


def _text(given: str) -> str:
    """Text as SQLite takes it: bytes that are no text, which Python carries as surrogates, become "?"."""
    return given.encode("utf-8", "replace").decode("utf-8")


def _uri(path: Path) -> str:
    return path.absolute().as_uri()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say what SQLite, or what stands in the file, means for the user."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise BookError(
                _("Another program is writing to {path}.", path=path), _("Try again when it is done.")
            ) from error
        raise BookError(
            _("{path} cannot be used: {error}.", path=path, error=error),
            _("Is the disk full, and may you write there?"),
        ) from error
    except sqlite3.Error as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> BookError:
    return BookError(_("{path} is damaged ({error}).", path=path, error=error), _(_OTHERWISE))


def _require_book(path: Path, connection: sqlite3.Connection) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != _KOKI:
        raise BookError(_("{path} is no book of Koki's.", path=path), _(_OTHERWISE))
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > _FORMAT:
        raise BookError(
            _(
                "{path} was written by a newer Koki (format {version}; this one reads {format}).",
                path=path,
                version=version,
                format=_FORMAT,
            ),
            _("Upgrade."),
        )
    rows = connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    found = {sql for kind, name, sql in rows if not (kind == "table" and name in _OF_FTS5)}
    if found != {statement for statement in _SCHEMA if statement.startswith("CREATE")}:
        raise BookError(_("{path} has other tables than a book.", path=path), _(_OTHERWISE))
