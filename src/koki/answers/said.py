"""An answer, read as a cook reads it: what it opens with, its ingredients, its steps, the other dishes it lists.

It is made for answers in Koki's own form, and lenient with others: headings in Markdown, numbered ingredients, lists
without bullets. Rules are code; words are in ``said.toml``.
"""

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from koki.ingredients.parse import Ingredient, parse_ingredients

WORDS: Final[dict[str, Any]] = tomllib.loads(files(__package__).joinpath("said.toml").read_text(encoding="utf-8"))

_ITEM: Final = re.compile(r"(?:[-*•–]|\d{1,2}[.)])\s+(?=\S)")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")
# "Bahan utama: ayam, serai" is a heading and its list; more words before the colon are a sentence.
_LONGEST_INLINE_HEADING: Final = 3


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says.

    Attributes:
        opening: everything before the first list.
        ingredients: parsed lines of the ingredient list, headings included.
        steps: without their numbers.
        others: items of other lists, such as further dishes.
    """

    opening: str
    ingredients: tuple[Ingredient, ...]
    steps: tuple[str, ...]
    others: tuple[str, ...]


class _Reader:
    def __init__(self) -> None:
        self.opening: list[str] = []
        self.lists: dict[str, list[str]] = {"ingredients": [], "steps": [], "others": [], "tips": []}
        self._section = ""  # empty before the first list and after a list has ended
        self._is_plain = False  # the list has neither bullets nor numbers

    def read(self, line: str) -> None:
        item = _ITEM.match(line)
        text = line.replace("**", "").lstrip("#").strip()
        if not item and not any(self.lists.values()):
            self.opening.append(text)
        if item:
            self._add(line[item.end() :].replace("**", "").strip(), is_plain=False)
        elif heading := _heading(text, is_marked=line.startswith(("#", "**"))):
            self._section, rest = heading
            if rest:
                self._add(rest, is_plain=False)
        elif self._section == "ingredients" and text.endswith(":"):
            self.lists["ingredients"].append(text)
        elif self._section and (self._is_plain or not self.lists[self._section]):
            self._add(text, is_plain=True)
        else:
            self._section = ""

    def _add(self, text: str, *, is_plain: bool) -> None:
        self._is_plain = is_plain
        self.lists[self._section or "others"].append(text)


def read_answer(text: str) -> Said:
    """Read an answer; any text can be read."""
    reader = _Reader()
    for line in filter(None, map(str.strip, text.splitlines())):
        reader.read(line)
    return Said(
        opening="\n".join(reader.opening),
        ingredients=parse_ingredients(reader.lists["ingredients"]),
        steps=tuple(reader.lists["steps"]),
        others=tuple(reader.lists["others"]),
    )


def list_at(text: str) -> int | None:
    """Where in an answer that may still go on a list of ingredients or steps begins; None as long as none does.

    What stands in the first line, or under a heading of further dishes, is none; a heading is one when its line is
    complete, an item when it has a character.
    """
    at, section, is_first = 0, "", True
    for line in text.splitlines(keepends=True):
        words = line.strip()
        plain = words.replace("**", "").lstrip("#").strip()
        if _ITEM.match(words) and section not in ("others", "tips"):
            return at
        if words and not _ITEM.match(words) and line.endswith("\n"):
            heading = _heading(plain, is_marked=words.startswith(("#", "**")))
            section = heading[0] if heading else ""
            if section in ("ingredients", "steps") and not is_first:
                return at
        is_first = is_first and not words
        at += len(line)
    return None


def _heading(text: str, *, is_marked: bool) -> tuple[str, str] | None:
    """The kind of list that a line heads, and what follows the colon on the line."""
    head, colon, rest = text.partition(":")
    if not colon and not is_marked:
        return None
    if rest.strip() and len(head.split()) > _LONGEST_INLINE_HEADING:
        if not text.endswith(":"):
            return None
        head, rest = text, ""
    head = head.strip().lower()
    kind = _kind(_SENTENCE_END.split(head)[-1]) or _kind(head)
    return (kind, rest.strip()) if kind else None


def _kind(head: str) -> str | None:
    """The kind of list that a heading heads.

    "Bahan lainnya" heads ingredients and "masakan lain dengan bahan ini" others: what stands first decides.
    """
    headings: dict[str, list[str]] = WORDS["headings"]
    if _starts_word(head, headings["steps"]):
        return "steps"
    if head.startswith(tuple(headings["ingredients"])):
        return "ingredients"
    return next((kind for kind in ("others", "ingredients", "tips") if _starts_word(head, headings[kind])), None)


def _starts_word(text: str, beginnings: list[str]) -> bool:
    return re.search(rf"\b(?:{'|'.join(beginnings)})", text) is not None
