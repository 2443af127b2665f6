"""What must be known of all recipes before conversations about one of them are composed: a line on each."""

from collections.abc import Sequence
from functools import partial
from itertools import chain
from sys import intern
from typing import Final, NamedTuple

from koki.book.naming import Titled
from koki.dialogue.shelf import roots_in
from koki.files import file_name
from koki.language import _
from koki.progress import stage
from koki.recipes.digests import digest_of
from koki.recipes.recipe import Recipe
from koki.recipes.stored import processes_for
from koki.workers import Workers

# Recipes that are looked at together, by one process.
_AT_ONCE: Final = 4_096


class Line(NamedTuple):
    """What must be known of a recipe.

    Attributes:
        titled: what names it.
        file: the name of its file, without folders.
        digest: see `koki.recipes.digests`.
    """

    titled: Titled
    file: str
    digest: str


class Survey(NamedTuple):
    """What must be known of all recipes.

    Attributes:
        lines: one for each recipe, in order.
        roots: of all their main ingredients, as `roots_in` gives them.
    """

    lines: list[Line]
    roots: frozenset[str]

    @classmethod
    def of(cls, recipes: Sequence[Recipe]) -> "Survey":
        """Look at each of the recipes; those on disk are looked at by several processes."""
        starts = range(0, len(recipes), _AT_ONCE)
        some = (range(start, min(start + _AT_ONCE, len(recipes))) for start in starts)
        parts: list[Survey] = []
        with (
            Workers(partial(_same, recipes), processes_for(recipes)) as workers,
            stage(_("Looking at recipes"), len(recipes)) as advance,
        ):
            for part in workers.map(_survey, some, _label):
                parts.append(part)
                advance(len(part.lines))
        lines = list(chain.from_iterable(part.lines for part in parts))
        return cls(lines, frozenset[str]().union(*(part.roots for part in parts)))

    @property
    def digests(self) -> dict[str, list[str]]:
        """As `koki.recipes.digests` has them."""
        digests: dict[str, list[str]] = {}
        for line in self.lines:
            digests.setdefault(line.file, []).append(line.digest)
        return digests


def _same(recipes: Sequence[Recipe]) -> Sequence[Recipe]:
    return recipes


def _label(numbers: range) -> str:
    return _("recipes {first:,} to {last:,}", first=numbers.start + 1, last=numbers.stop)


def _survey(recipes: Sequence[Recipe], numbers: range) -> Survey:
    some = list(recipes[numbers.start : numbers.stop])
    return Survey(list(map(_line, some)), roots_in(some))


def _line(recipe: Recipe) -> Line:
    # the name of a file once for all its recipes, also when it is sent to another process
    return Line(Titled.of(recipe), intern(file_name(recipe.file)), digest_of(recipe))
