"""The words in which dishes and ingredients are named, read from ``words.toml`` and checked."""

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, Field


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Joining(_Table):
    """How a list is said in running text."""

    comma: str
    last: str
    last_of_many: str

    def join(self, names: Sequence[str]) -> str:
        """ "ayam", "ayam dan serai", "ayam, serai, dan santan"."""
        last = self.last if len(names) == 2 else self.last_of_many
        return last.join(part for part in (self.comma.join(names[:-1]), names[-1]) if part)


class Kitchen(_Table):
    """How ingredients are spoken of.

    ``kinds`` are words that narrow an ingredient and are said with it: "ayam kampung".
    """

    kinds: frozenset[str]


class Titles(_Table):
    """What people write into titles.

    Attributes:
        prefixes: words before the dish that are not part of its name.
        signatures: what opens the name of who posted or cooked it, at the end.
        mine: ways of saying "I", after "ala".
        acronyms: always written in capitals.
        short_words: words of a few letters that are no acronyms, should they be typed in capitals.
    """

    prefixes: tuple[str, ...] = Field(min_length=1)
    signatures: tuple[str, ...] = Field(min_length=1)
    mine: tuple[str, ...] = Field(min_length=1)
    acronyms: frozenset[str]
    short_words: frozenset[str]


class Naming(_Table):
    """How a recipe is told from others of the same title."""

    having: str
    without: str
    numbered: str


class Words(_Table):
    """All of them."""

    joining: Joining
    kitchen: Kitchen
    titles: Titles
    naming: Naming


@cache
def load_words() -> Words:
    """The words that ship with Koki."""
    return Words.model_validate(tomllib.loads((resources.files("koki.book") / "words.toml").read_text("utf-8")))
