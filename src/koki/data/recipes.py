"""The recipes of a configuration: its files checked, read and cleaned, and some held out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Final

from koki.config import RunConfig
from koki.data.survey import Survey
from koki.errors import DataError
from koki.language import _
from koki.recipes.recipe import Recipe
from koki.recipes.sequence import Recipes
from koki.recipes.sources import FileDigest, read_digests
from koki.recipes.split import split
from koki.recipes.stored import some_of
from koki.recipes.table import read_into, read_recipes, require_files

FEWEST_TO_SPLIT: Final = 100
"""Recipes from which on some are held out: of fewer, 5 % are a handful, and a user with thirty wants all thirty."""


@dataclass(frozen=True)
class RecipesOfRun:
    """The recipes of a configuration; each thing is read when it is first asked for, and once.

    Attributes:
        checked: what `check_files` returned for the configuration; None where the files were not checked.
    """

    config: RunConfig
    checked: Sequence[FileDigest] | None = None

    @cached_property
    def digests(self) -> Sequence[FileDigest]:
        """The digest of each file as it was when it was checked; of one that was not, as it is now.

        Raises:
            RecipeFileNotFound, DataError: a file cannot be read.
        """
        return read_digests(recipe_files(self.config)) if self.checked is None else self.checked

    @cached_property
    def read(self) -> Recipes:
        """All recipes, with the report on their files.

        Raises:
            RecipeFileNotFound, DataError: as `read_recipes`.
        """
        data = self.config.data
        return read_recipes(*recipe_files(self.config), columns=data.columns, items=data.items, sheet=data.sheet)

    def read_into(self, folder: Path) -> Recipes:
        """The same by way of a folder, where nothing was read before; see `koki.recipes.table.read_into`.

        Raises:
            RecipeFileNotFound, DataError, WorkerError, OSError: as there.
        """
        if "read" not in vars(self):  # where cached_property keeps it
            data = self.config.data
            files = recipe_files(self.config)
            vars(self)["read"] = read_into(folder, *files, columns=data.columns, items=data.items, sheet=data.sheet)
        return self.read

    @cached_property
    def survey(self) -> Survey:
        """What must be known of all of them."""
        return Survey.of(self.read.kept)

    def forget_survey(self) -> None:
        """Let it go: of a million recipes it is some hundred megabytes; it is made again where it is asked for."""
        vars(self).pop("survey", None)

    @cached_property
    def places(self) -> tuple[list[int], list[int]]:
        """The places of those to train on and of those held out; of few none is, since it would measure nothing.

        Raises:
            DataError: all are held out.
        """
        if len(self.read) < FEWEST_TO_SPLIT:
            return [*range(len(self.read))], []
        learned, held_out = split(
            (line.titled.title for line in self.survey.lines), self.config.data.validation_fraction
        )
        if not learned:
            raise DataError(
                _("All {count} recipes are held out.", count=len(held_out)),
                _("Train on all: --set data.validation_fraction=0"),
            )
        return learned, held_out

    @cached_property
    def split(self) -> tuple[Sequence[Recipe], Sequence[Recipe]]:
        """The recipes at these places.

        Raises:
            DataError: as `places`.
        """
        learned, held_out = (some_of(self.read.kept, places) for places in self.places)
        return learned, held_out


def check_files(config: RunConfig) -> list[FileDigest]:
    """Check the recipe files of a configuration, before anything expensive is begun.

    Returns:
        The digest of each file, for `RecipesOfRun`: training data that was made of these very bytes is found without
        another look at the files. If they change meanwhile and there is no such data, they count as they are by then.

    Raises:
        RecipeFileNotFound, DataError: as `require_files`.
    """
    return require_files(*recipe_files(config), columns=config.data.columns, sheet=config.data.sheet)


def recipe_files(config: RunConfig) -> list[Path]:
    """The configured files, or the recipes that ship with Koki."""
    if config.data.files:
        return [Path(file) for file in config.data.files]
    return [shipped_recipes()]


def shipped_recipes() -> Path:
    """The file of the recipes that ship with Koki."""
    return Path(str(resources.files("koki.recipes") / "samples.csv"))
