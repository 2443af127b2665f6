"""The book: how long it takes to build, how large it is, how much memory that takes, and how long lookups take.

    python benchmarks/book.py recipes/*.csv --recipes 1000000

Measured are the recipes of the files (without files those that ship) and, with `--recipes N`, N that are varied from
them: another word in the title, an ingredient less and one of another recipe's, another number of loves. Memory is what
building takes beyond the recipes given. Lookups are those of questions: names like a dish's with two letters swapped,
dishes for four of a recipe's ingredients, dishes with an ingredient; the first of each kind after opening, then the
median of 200 and the slowest but ten.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from importlib import resources
from itertools import chain
from pathlib import Path
from typing import Any, Final

from koki.book.store import Book
from koki.recipes.recipe import Recipe, identity
from koki.recipes.stored import EncodedRecipes, RecipeWriter, StoredRecipes
from koki.recipes.table import read_recipes
from measuring import Clock, measured, memory, report, reset_peak

_LOOKUPS: Final = 200
_SLOWEST: Final = 10


def main() -> None:
    """Measure, print, write."""
    options = parse_options()
    recipes = read_recipes(*options.files)
    sizes = [len(recipes), *([options.recipes] if options.recipes else [])]
    results = [measured(measure, recipes, size) for size in sizes]
    kinds = results[0]["lookups"]
    columns = ("recipes", "build, CPU s (wall)", "file MB", "memory MB", "add one, s", *kinds)
    title = "The book; lookups: the first, the median and the slowest but ten, in ms of processor time"
    report("book", title, columns, [row(result) for result in results], results)


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shipped = str(resources.files("koki.recipes") / "samples.csv")
    parser.add_argument("files", nargs="*", default=[shipped], help="recipe files")
    parser.add_argument("--recipes", type=int, default=0, help="how many varied ones; 0 is none")
    return parser.parse_args()


def measure(recipes: Sequence[Recipe], size: int) -> dict[str, Any]:
    """Build a book of so many recipes, and look things up in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.sqlite"
        given = recipes if size == len(recipes) else stored(Path(folder) / "recipes", varied(recipes, size))
        reset_peak()
        before, clock = memory()[0], Clock()
        Book.write(path, given)
        built, peak = clock.read(), memory()[1]
        lookups = {kind: times(path, questions) for kind, questions in asked(recipes).items()}
        clock = Clock()
        with Book.open(path, write=True) as book:
            book.add(list(varied(recipes, 1, seed=2)))
        return {
            "recipes": size,
            "build": built,
            "bytes": path.stat().st_size,
            "memory": peak - before,
            "add one": clock.read(),
            "lookups": lookups,
        }


def varied(recipes: Sequence[Recipe], size: int, seed: int = 1) -> Iterator[Recipe]:
    """Recipes that are not there, made of those that are."""
    draw = random.Random(seed)
    words = list(chain.from_iterable(recipe.title.split() for recipe in recipes))
    for number in range(size):
        recipe, other = recipes[number % len(recipes)], draw.choice(recipes)
        title = recipe.title.split()
        title[draw.randrange(len(title))] = draw.choice(words)
        items = list(recipe.ingredients)
        items[draw.randrange(len(items))] = draw.choice(other.ingredients)
        steps = (*recipe.steps[:-1], draw.choice(other.steps), f"Sajikan untuk {number} orang.")
        said = " ".join(title)
        lines = [item.raw for item in items]
        yield Recipe(
            id=identity(said, lines, steps),
            title=said,
            ingredients=tuple(items),
            steps=steps,
            loves=int(draw.expovariate(0.1)),
            url=None,
            category=None,
            file=recipe.file,
            line=number,
        )


def stored(folder: Path, recipes: Iterable[Recipe]) -> StoredRecipes:
    """The recipes on disk, where they take no memory."""
    with RecipeWriter(folder) as writer:
        for recipe in recipes:
            writer.append(EncodedRecipes.of([recipe]))
    return StoredRecipes(folder)


def asked(recipes: Sequence[Recipe]) -> dict[str, list[Callable[[Book], object]]]:
    """Lookups of each kind."""
    draw = random.Random(3)
    some = [draw.choice(recipes) for _ in range(_LOOKUPS)]
    return {
        "names like": [partial(Book.names_like, text=slipped(it.title, draw)) for it in some],
        "for what is at hand": [partial(Book.what_can_i_cook, have=it.main_ingredients[:4], n=3) for it in some],
        "with an ingredient": [partial(Book.with_ingredient, name=it.main_ingredients[0], limit=3) for it in some],
        "a page": [partial(Book.find, name_or_id=it.title) for it in some],
    }


def slipped(title: str, draw: random.Random) -> str:
    """A question for a dish, with two letters swapped."""
    at = draw.randrange(max(1, len(title) - 1))
    return f"resep {title[:at]}{title[at : at + 2][::-1]}{title[at + 2 :]} dong".lower()


def times(path: Path, questions: Iterable[Callable[[Book], object]]) -> list[float]:
    """Processor seconds of each lookup, the first of which opens the book."""
    found = []
    with Book.open(path) as book:
        for question in questions:
            started = time.process_time()
            question(book)
            found.append(time.process_time() - started)
    return found


def row(result: dict[str, Any]) -> list[str]:
    """What is printed of a result."""
    built, lookups = result["build"], result["lookups"].values()
    figures = [f"{result['bytes'] / 1e6:.0f}", f"{result['memory'] / 1e6:.0f}", f"{result['add one']['wall']:.2f}"]
    return [f"{result['recipes']:,}", f"{built['cpu']:.1f} ({built['wall']:.1f})", *figures, *map(in_short, lookups)]


def in_short(seconds: Sequence[float]) -> str:
    """The first, the median, and the slowest but ten, in milliseconds."""
    first, *others = [1000 * value for value in seconds]
    others.sort()
    return f"{first:.1f} / {others[len(others) // 2]:.1f} / {others[-_SLOWEST - 1]:.1f}"


if __name__ == "__main__":
    main()
