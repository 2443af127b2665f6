"""`Recipes`: those that were read, in order, with the report on their files."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

from koki.recipes.recipe import Recipe
from koki.recipes.report import DataReport
from koki.records import Records


class Recipes(Sequence[Recipe], Records):
    """The recipes of some files, each once, in the order of the files.

    Attributes:
        kept: the same recipes, in memory or on disk.
        report: what became of every row.
    """

    def __init__(self, kept: Sequence[Recipe], report: DataReport) -> None:
        self.kept = kept
        self.report = report

    def __len__(self) -> int:
        return len(self.kept)

    @overload
    def __getitem__(self, place: int) -> Recipe: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Recipe, ...]: ...

    def __getitem__(self, place: int | slice) -> Recipe | tuple[Recipe, ...]:
        return self.kept[place] if isinstance(place, int) else tuple(self.kept[place])

    def __iter__(self) -> Iterator[Recipe]:
        return iter(self.kept)

    def __repr__(self) -> str:
        files = ", ".join(file.path for file in self.report.files)
        return f"<{len(self):,} recipes of {self.report.rows_read:,} rows in {files}>"

    def to_dicts(self) -> list[dict[str, Any]]:
        """Each recipe as `Recipe.as_dict`."""
        return [recipe.as_dict() for recipe in self]
