"""A recipe, as everything after the reader sees it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from koki.ingredients.lexicon import is_staple
from koki.ingredients.parse import Ingredient


@dataclass(frozen=True, slots=True)
class Recipe:
    """One recipe, cleaned. Its identity is its content: equal recipes of two files have equal ids.

    Attributes:
        id: 16 hex digits of SHA-256 over title, ingredient lines and steps, case aside.
        title: as the author wrote it, without emoji, hashtags and closing punctuation; ALL CAPS become Title
            Case, but for acronyms.
        ingredients: parsed lines in order, headings included.
        steps: without numbering, sign-offs ("Selamat mencoba"), chatter and pure links.
        file: the path as the user gave it.
        line: the physical line of the file on which the row starts; the header is usually line 1.
        sheet: of a workbook, whose row the line is then; empty for other files.
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
    sheet: str = ""

    @property
    def place(self) -> str:
        """Where it stands, for people: file and line, with the sheet between them where there is one."""
        return place_of(self.file, self.sheet, self.line)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; of the ingredients the lines, which `ingredients` has taken apart."""
        return {
            "id": self.id,
            "title": self.title,
            "ingredients": [item.raw for item in self.ingredients],
            "main_ingredients": list(self.main_ingredients),
            "steps": list(self.steps),
            "loves": self.loves,
            "url": self.url,
            "category": self.category,
            "file": self.file,
            "line": self.line,
            "sheet": self.sheet,
        }

    @property
    def main_ingredients(self) -> tuple[str, ...]:
        """The distinct names that make the dish, in order: no headings, no salt, oil or water."""
        names = (name for item in self.ingredients for name in item.names)
        return tuple(dict.fromkeys(name for name in names if not is_staple(name)))


def place_of(file: str, sheet: str, line: int) -> str:
    """``resep.csv:12``, or ``resep.xlsx:Ayam:12``."""
    return f"{file}:{sheet}:{line}" if sheet else f"{file}:{line}"


def identity(title: str, lines: Sequence[str], steps: Sequence[str]) -> str:
    """The id of a recipe with this title, these ingredient lines and steps."""
    # \x1f and \x1e cannot occur in cleaned text, so no two recipes run into the same string.
    content = "\x1e".join("\x1f".join(part) for part in ([title], lines, steps)).casefold()
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]
