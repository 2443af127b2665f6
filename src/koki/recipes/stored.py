"""Recipes on disk, written once and read one by one: a million of them are 2 GB as text, and 15 in memory.

A folder has two files: the recipes as JSON, one after the other, and where each of them ends. JSON is exact for all
that a recipe holds, and unlike a pickle it runs nothing when it is read.
"""

import json
import weakref
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from koki.files import discard
from koki.ingredients.parse import Ingredient
from koki.recipes.recipe import Recipe

Integers = NDArray[np.int64]

_RECIPES: Final = "recipes.jsons"
_ENDS: Final = "ends.npy"
# No escapes: two lone surrogates in a row, each escaped, would be read as one character.
_AS_JSON: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
_SURROGATES: Final = "surrogatepass"


def encode(recipe: Recipe) -> bytes:
    """A recipe as bytes, which `decode` makes an equal one of."""
    fields = (
        recipe.id,
        recipe.title,
        recipe.ingredients,  # each a list without its names, which are the same in all
        recipe.steps,
        recipe.loves,
        recipe.url,
        recipe.category,
        recipe.file,
        recipe.line,
        recipe.sheet,
    )
    return _AS_JSON(fields).encode("utf-8", _SURROGATES)


def decode(content: bytes) -> Recipe:
    """The recipe that `encode` made these bytes of."""
    recipe_id, title, ingredients, steps, *others = json.loads(content.decode("utf-8", _SURROGATES))
    return Recipe(recipe_id, title, tuple(map(_ingredient, ingredients)), tuple(steps), *others)


def _ingredient(fields: list[Any]) -> Ingredient:
    raw, name, heading, quantity, unit, preparation, note, optional, alternatives, others, group = fields
    return Ingredient(
        raw,
        name,
        heading,
        tuple(quantity) if isinstance(quantity, list) else quantity,
        unit,
        preparation,
        note,
        optional,
        tuple(alternatives),
        tuple(others),
        group,
    )


class EncodedRecipes(NamedTuple):
    """Some recipes as bytes, one after the other; what a worker process sends.

    Attributes:
        sizes: the bytes of each.
    """

    content: bytes
    sizes: list[int]

    @classmethod
    def of(cls, recipes: Iterable[Recipe]) -> Self:
        """The recipes encoded, in order."""
        encoded = list(map(encode, recipes))
        return cls(b"".join(encoded), list(map(len, encoded)))

    def decoded(self) -> Iterator[Recipe]:
        """The recipes, in order."""
        ends = [*accumulate(self.sizes, initial=0)]
        return (decode(self.content[start:end]) for start, end in pairwise(ends))

    def where(self, are_wanted: NDArray[np.bool_]) -> Self:
        """Those that are wanted, of which the array has one for each recipe."""
        if are_wanted.all():
            return self
        ends = [*accumulate(self.sizes, initial=0)]
        wanted = np.flatnonzero(are_wanted).tolist()
        content = b"".join(self.content[ends[place] : ends[place + 1]] for place in wanted)
        return self._replace(content=content, sizes=[self.sizes[place] for place in wanted])


class RecipeHolder:
    """Holds recipes in memory, as `RecipeWriter` writes them to the disk."""

    def __init__(self) -> None:
        self._recipes: list[Recipe] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def append(self, recipes: EncodedRecipes) -> None:
        """Hold some recipes behind those before."""
        self._recipes += recipes.decoded()

    def recipes(self) -> Sequence[Recipe]:
        """All that were appended."""
        return tuple(self._recipes)


class RecipeWriter:
    """Writes the folder that `StoredRecipes` reads. It is there to be read once the context is left without an error.

    Args:
        folder: is made, unless it is there.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ends = array("q", [0])

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / _ENDS).unlink(missing_ok=True)  # those of other recipes
        self._file = (self._folder / _RECIPES).open("wb")
        return self

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, recipes: EncodedRecipes) -> None:
        """Write some recipes behind those that were written before.

        Raises:
            OSError: the disk is full, for one.
        """
        self._file.write(recipes.content)
        ends = np.cumsum(recipes.sizes, dtype=np.int64) + self._ends[-1]
        self._ends.frombytes(ends.tobytes())

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        if kind is None:
            np.save(self._folder / _ENDS, np.frombuffer(self._ends, np.int64))

    def recipes(self) -> "StoredRecipes":
        """All that were appended; to be asked for when the context has been left."""
        return StoredRecipes(self._folder)


class StoredRecipes(Sequence[Recipe]):
    """Recipes of a folder that `RecipeWriter` wrote, each read from the disk when it is asked for.

    A slice is such a sequence again, and nothing is copied. One that is pickled names the folder, so that another
    process reads the files itself. Several threads may read it, and no file is open but while it is read.

    Args:
        numbers: which recipes of the folder, in this order; None is all. A number may come more than once.
        ends: where each recipe of the folder ends, led by 0; None reads it.

    Raises:
        OSError: the folder cannot be read, or was not written to the end.

    Attributes:
        folder: where they are.
        numbers: of the recipes in the folder, shape (recipes,).
    """

    def __init__(self, folder: Path, numbers: range | Integers | None = None, *, ends: Integers | None = None) -> None:
        self.folder = folder.absolute()  # a process that reads it may work elsewhere
        self._ends: Integers = np.load(folder / _ENDS) if ends is None else ends
        self.numbers = range(len(self._ends) - 1) if numbers is None else numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> Recipe: ...

    @overload
    def __getitem__(self, place: slice) -> "StoredRecipes": ...

    def __getitem__(self, place: int | slice) -> "Recipe | StoredRecipes":
        if isinstance(place, slice):
            return StoredRecipes(self.folder, self.numbers[place], ends=self._ends)
        (recipe,) = self._read([int(self.numbers[place])])
        return recipe

    def at(self, places: ArrayLike) -> "StoredRecipes":
        """Those at some places of this sequence, in the order of the places."""
        numbers = np.asarray(self.numbers, np.int64)[np.asarray(places, np.int64)]
        return StoredRecipes(self.folder, numbers, ends=self._ends)

    def remove_after_use(self, folder: Path) -> None:
        """Remove a folder that they lie in once neither these recipes nor any that were taken from them are used."""
        weakref.finalize(self._ends, discard, folder)  # which all of them share

    def __iter__(self) -> Iterator[Recipe]:
        return self._read(map(int, self.numbers))

    def __reduce__(self) -> tuple[Callable[..., "StoredRecipes"], tuple[Any, ...]]:
        return StoredRecipes, (self.folder, self.numbers)

    def _read(self, numbers: Iterable[int]) -> Iterator[Recipe]:
        """The recipes with these numbers in the folder."""
        with (self.folder / _RECIPES).open("rb") as file:
            for number in numbers:
                start, end = self._ends[number : number + 2].tolist()
                file.seek(start)
                yield decode(file.read(end - start))


def processes_for(recipes: Sequence[Recipe]) -> int | None:
    """How many processes `koki.workers.Workers` is to take for work on recipes: one for those that are in memory."""
    return None if isinstance(recipes, StoredRecipes) else 1


def some_of(recipes: Sequence[Recipe], places: Iterable[int]) -> Sequence[Recipe]:
    """Those at some places, in the order of these; those on disk stay there."""
    if isinstance(recipes, StoredRecipes):
        return recipes.at(np.fromiter(places, np.int64))
    return tuple(recipes[place] for place in places)
