"""Some rows of a file -> recipes, and an account of the others: what a worker process does."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from koki.ingredients.parse import Ingredient, parse_ingredients
from koki.recipes.cleaning import clean_steps, clean_title, ingredient_lines, is_missing, repair
from koki.recipes.columns import REQUIRED, SEASONING
from koki.recipes.findings import Oddity, Reason
from koki.recipes.formats import Row
from koki.recipes.near_duplicates import Fingerprints, Integers
from koki.recipes.recipe import Recipe, identity, place_of
from koki.recipes.report import DroppedRow, Warned
from koki.recipes.stored import EncodedRecipes
from koki.recipes.unsplit import Unsplit
from koki.recipes.values import written_out
from koki.tensors import facts_in, opened_tensors, write_tensors

# Ingredients that a recipe must have. Of 11,205 real recipes one has fewer: it only links to another recipe.
_LEAST_INGREDIENTS: Final = 2
# Words that all its steps together must have. "Campur semua" is a step, "Ready" is none; the shortest of 11,205 real
# recipes has seven.
_LEAST_WORDS: Final = 2
# Lines that are named of an oddity that many rows have.
_LINES_TOLD: Final = 10


class SomeRows(NamedTuple):
    """Rows of a file that are parsed together.

    Attributes:
        name: of these rows of a file with these bytes, and of no others.
        file: the place of their file among the files.
    """

    name: str
    file: int
    path: str
    rows: list[Row]


def label_of(some: SomeRows) -> str:
    """Which rows they are, for people: ``resep.csv:2-2049``."""
    first, last = some.rows[0], some.rows[-1]
    return f"{place_of(some.path, first.sheet, first.line)}-{last.line}"


class ParsedRows(NamedTuple):
    """What became of some rows; lists have an entry for each recipe.

    Attributes:
        places: the line and the sheet of each recipe.
        lengths: ingredients, steps and characters of each, shape (recipes, 3).
        dropped: the place among the rows of each that gave no recipe, and why.
    """

    file: int
    rows: int
    recipes: EncodedRecipes
    ids: list[str]
    titles: list[str]
    places: list[tuple[int, str]]
    lengths: Integers
    prints: Fingerprints
    dropped: list[tuple[int, DroppedRow]]
    notes: "Notes"

    def write(self, path: Path) -> None:
        """Write it to a file, beside and renamed, so that whoever finds the file finds it whole."""
        arrays: dict[str, NDArray[Any]] = {
            "recipes": np.frombuffer(self.recipes.content, np.uint8),
            "sizes": np.array(self.recipes.sizes, np.int64),
            "lengths": self.lengths,
            "prints": self.prints.prints,
            "print_counts": self.prints.counts,
        }
        facts = {
            "file": self.file,
            "rows": self.rows,
            "ids": self.ids,
            "titles": self.titles,
            "places": self.places,
            "dropped": [(place, asdict(row)) for place, row in self.dropped],
            "notes": self.notes.as_list(),
        }
        write_tensors(path, arrays, facts)

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `write` wrote.

        Raises:
            OSError, ValueError: the file is missing or damaged.
        """
        with opened_tensors(path) as file:
            facts = facts_in(file)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no dictionary)
            changed = {
                "recipes": EncodedRecipes(arrays["recipes"].tobytes(), arrays["sizes"].tolist()),
                "places": [(line, sheet) for line, sheet in facts["places"]],
                "lengths": arrays["lengths"],
                "prints": Fingerprints(arrays["prints"], arrays["print_counts"]),
                "dropped": [(place, DroppedRow.of_dict(row)) for place, row in facts["dropped"]],
                "notes": Notes.of_list(facts["notes"]),
            }
            return cls(**facts | changed)


class Parser:
    """Makes recipes of rows.

    Args:
        items: "ingredients", "steps" -> what separates these in a text, where it is not found.
        folder: where what was made of some rows is kept, and found again; None keeps nothing.
    """

    def __init__(self, items: Mapping[str, str], folder: Path | None) -> None:
        self._items, self._folder = items, folder

    def parse(self, some: SomeRows) -> ParsedRows:
        """What becomes of some rows.

        Raises:
            OSError: the folder cannot be written.
        """
        if self._folder is None:
            return self._parse(some)
        path = self._folder / f"{some.name}.safetensors"
        if path.exists():
            with suppress(ValueError):
                return ParsedRows.read(path)
        parsed = self._parse(some)
        parsed.write(path)
        return parsed

    def _parse(self, some: SomeRows) -> ParsedRows:
        notes, dropped, recipes = Notes(), [], []
        for place, row in enumerate(some.rows):
            recipe = _recipe(row, some.path, notes, self._items)
            if isinstance(recipe, DroppedRow):
                dropped.append((place, recipe))
            else:
                recipes.append(recipe)
        return ParsedRows(
            some.file,
            len(some.rows),
            EncodedRecipes.of(recipes),
            [recipe.id for recipe in recipes],
            [recipe.title for recipe in recipes],
            [(recipe.line, recipe.sheet) for recipe in recipes],
            np.array(list(map(_lengths, recipes)), np.int64).reshape(-1, 3),
            Fingerprints.of(recipes),
            dropped,
            notes,
        )


def _lengths(recipe: Recipe) -> tuple[int, int, int]:
    characters = sum(map(len, (recipe.title, *(item.raw for item in recipe.ingredients), *recipe.steps)))
    return sum(not item.heading for item in recipe.ingredients), len(recipe.steps), characters


class Notes:
    """The oddities of a file, each with the lines that have it, sheet by sheet."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, Oddity], list[int]] = {}
        self.unsplit: defaultdict[str, Unsplit] = defaultdict(Unsplit)

    def join(self, later: Self) -> None:
        """Take in those of rows behind these."""
        for key, lines in later._lines.items():
            self._lines.setdefault(key, []).extend(lines)
        for sheet, unsplit in later.unsplit.items():
            self.unsplit[sheet].join(unsplit)

    def as_list(self) -> list[Any]:
        """JSON-ready; `of_list` makes the notes of it again."""
        unsplit = [(sheet, it.as_list()) for sheet, it in self.unsplit.items()]
        return [[(sheet, oddity, lines) for (sheet, oddity), lines in self._lines.items()], unsplit]

    @classmethod
    def of_list(cls, kept: Sequence[Any]) -> Self:
        """The notes that `as_list` gave this of."""
        notes = cls()
        notes._lines = {(sheet, Oddity(oddity)): lines for sheet, oddity, lines in kept[0]}
        notes.unsplit.update((sheet, Unsplit.of_list(it)) for sheet, it in kept[1])
        return notes

    def add(self, row: Row, oddity: Oddity) -> None:
        lines = self._lines.setdefault((row.sheet, oddity), [])
        if row.line not in lines[-1:]:
            lines.append(row.line)

    def repaired(self, row: Row, text: str) -> str:
        """The text, of this row, repaired; what was odd about it is noted."""
        text, oddities = repair(text)
        for oddity in oddities:
            self.add(row, oddity)
        return text

    def warnings(self) -> list[Warned]:
        """The oddities of rows, then what most rows of the file, or of a sheet, have in common."""
        of_rows = (Warned(odd, len(at), at[:_LINES_TOLD], sheet) for (sheet, odd), at in self._lines.items())
        of_most = (
            Warned(odd, len(at), at[:_LINES_TOLD], sheet, option)
            for sheet, unsplit in self.unsplit.items()
            for odd, at, option in unsplit.found()
        )
        return [*of_rows, *of_most]


# ---------------------------------------------------------------------------------------- row -> recipe or not


def _recipe(row: Row, path: str, notes: Notes, items: Mapping[str, str]) -> Recipe | DroppedRow:
    for oddity in row.oddities:
        notes.add(row, oddity)
    if row.problem:
        title = clean_title(notes.repaired(row, row.fields.get("title", "")[:200]))
        return DroppedRow(path, row.line, title, row.problem, sheet=row.sheet)
    read = {wanted: notes.repaired(row, written_out(text)) for wanted, text in row.fields.items()}
    fields = dict.fromkeys(REQUIRED, "") | read
    title = clean_title(fields["title"])
    lines = ingredient_lines(fields["ingredients"], items.get("ingredients"))
    if seasoning := ingredient_lines(fields.get("seasoning", ""), items.get("ingredients")):
        lines += [f"{SEASONING}:", *seasoning]
    ingredients = parse_ingredients(lines)
    steps = clean_steps(fields["steps"], items.get("steps"))
    if ingredients and steps:
        notes.unsplit[row.sheet].look_at(row.line, (fields["ingredients"], fields["steps"]), ingredients, steps)
    problem = (
        (None if title else Reason.NO_TITLE)
        or _nothing_in("ingredients", fields["ingredients"], lines)
        or _nothing_in("steps", fields["steps"], steps)
        or _too_few(ingredients, steps)
    )
    if problem:
        return DroppedRow(path, row.line, title, problem, sheet=row.sheet)
    return Recipe(
        id=identity(title, lines, steps),
        title=title,
        ingredients=ingredients,
        steps=tuple(steps),
        loves=_count(fields.get("loves", "")),
        url=_optional(fields.get("url", "")),
        category=_optional(fields.get("category", "")),
        file=path,
        line=row.line,
        sheet=row.sheet,
    )


def _nothing_in(column: str, text: str, items: list[str]) -> Reason | None:
    if items:
        return None
    return Reason(f"{column} are 'nan' or the like" if is_missing(text) else f"{column} are empty")


def _too_few(ingredients: Sequence[Ingredient], steps: Sequence[str]) -> Reason | None:
    """A line may name several ingredients: "garam dan gula" are two."""
    first = islice((item for item in ingredients if not item.heading), _LEAST_INGREDIENTS)
    if sum(1 + len(item.others) for item in first) < _LEAST_INGREDIENTS:
        return Reason.FEW_INGREDIENTS
    return Reason.FEW_STEPS if len(" ".join(steps).split(maxsplit=_LEAST_WORDS)) < _LEAST_WORDS else None


_COUNT: Final = re.compile(r"\s*(\d{1,9})(?:\.0+)?\s*")


def _count(text: str) -> int | None:
    """``12`` and ``12.0`` (as pandas writes a column with gaps) are 12; anything else is no count."""
    number = _COUNT.fullmatch(text)
    return int(number[1]) if number else None


def _optional(text: str) -> str | None:
    cleaned = " ".join(text.split())
    return None if not cleaned or is_missing(cleaned) else cleaned
