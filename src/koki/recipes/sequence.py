"""`Recipes`: those that were read, in order, with the report on their files."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

from koki.recipes.recipe import Recipe
from koki.recipes.report import DataReport
from koki.records import Records


class Recipes(Sequence[Recipe], Records):
    """The recipes of some files, each once, in the order of the files.

    Attributes:
        report: what became of every row.
    """

    def __init__(self, recipes: Iterable[Recipe], report: DataReport) -> None:
        self._recipes = tuple(recipes)
        self.report = report

    def __len__(self) -> int:
        return len(self._recipes)

    @overload
    def __getitem__(self, place: int) -> Recipe: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Recipe, ...]: ...

    def __getitem__(self, place: int | slice) -> Recipe | tuple[Recipe, ...]:
        return self._recipes[place]

    def __iter__(self) -> Iterator[Recipe]:
        return iter(self._recipes)

    def __repr__(self) -> str:
        files = ", ".join(file.path for file in self.report.files)
        return f"<{len(self):,} recipes of {self.report.rows_read:,} rows in {files}>"

    def to_dicts(self) -> list[dict[str, Any]]:
        """Each recipe as `Recipe.as_dict`."""
        return [recipe.as_dict() for recipe in self]
