"""What is true: recipes under the names that they are asked for by, and what has which ingredient."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib.resources import files
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from koki.answers.comparison import words_of
from koki.book.pantry import Pantry, Suggestion
from koki.dialogue.layout import list_ingredients, list_steps
from koki.evaluation.words import WORDS
from koki.ingredients.parse import Ingredient
from koki.recipes.recipe import Recipe

# An end of line is a token too: what follows it is not part of a name.
_TOKEN: Final = re.compile(r"\w+|[^\w\s]|\n")
_FOREIGN: Final = frozenset(WORDS["foreign"]["words"].split())
# Where the words of the conversations come from, besides the recipes.
_WORD_LISTS: Final = tuple(
    ("koki.dialogue", name) for name in ("phrasebook.toml", "details.toml", "tips.toml", "refusals.toml")
)


class Cookbook:
    """Recipes that an answer may be about.

    Args:
        names: recipe id -> the name that the chef knows the recipe by.
    """

    def __init__(self, recipes: Sequence[Recipe], names: Mapping[str, str]) -> None:
        self._recipes = recipes
        self._pantry = Pantry(recipes)
        self._names = names
        self._by_name = {tuple(_TOKEN.findall(names[recipe.id].lower())): recipe for recipe in recipes}
        self._longest = max(map(len, self._by_name), default=0)
        self._places = {recipe.id: place for place, recipe in enumerate(recipes)}
        self._with: dict[str, frozenset[str]] = {}
        self._word_indexes: dict[str, _WordIndex] = {}

    def name_of(self, recipe: Recipe) -> str:
        """The name that the chef knows a recipe by."""
        return self._names[recipe.id]

    def dish_at_start(self, text: str) -> Recipe | None:
        """The recipe whose name a text starts with; where several names fit, that of the longest.

        A name that goes on with a capital ("Soto Ayam" in "Soto Ayam Mars") is another dish's.
        """
        tokens = _TOKEN.findall(text)
        return self._by_name.get(tuple(map(str.lower, tokens[: self._name_at(tokens, 0, frozenset())])))

    def dishes_in(self, text: str, but_not: Iterable[str] = ()) -> list[Recipe]:
        """The recipes that a text names anywhere, in order, each once; of overlapping names the longest.

        Args:
            but_not: names that mean something else here, such as the ingredients at hand.
        """
        tokens = _TOKEN.findall(text)
        others = frozenset(tuple(_TOKEN.findall(name.lower())) for name in but_not)
        found: dict[str, Recipe] = {}
        at = 0
        while at < len(tokens):
            size = self._name_at(tokens, at, others)
            if size:
                recipe = self._by_name[tuple(map(str.lower, tokens[at : at + size]))]
                found.setdefault(recipe.id, recipe)
            at += size or 1
        return list(found.values())

    def _name_at(self, tokens: Sequence[str], at: int, others: frozenset[tuple[str, ...]]) -> int:
        """How many tokens the longest name takes that starts here; 0 where none does."""
        for size in range(min(self._longest, len(tokens) - at), 0, -1):
            name = tuple(map(str.lower, tokens[at : at + size]))
            if name in self._by_name and name not in others:
                goes_on = at + size < len(tokens) and tokens[at + size][0].isupper()
                return 0 if goes_on else size
        return 0

    def has(self, recipe: Recipe, ingredient: str) -> bool:
        """Whether a recipe has an ingredient or a kind of it."""
        return recipe.id in self._ids_with(ingredient)

    def _ids_with(self, ingredient: str) -> frozenset[str]:
        if ingredient not in self._with:
            self._with[ingredient] = frozenset(recipe.id for recipe in self._pantry.with_ingredient(ingredient))
        return self._with[ingredient]

    def is_nearest(self, recipe: Recipe, text: str, part: str) -> bool:
        """Whether no other recipe is more like a text, by the Dice coefficient of the sets of words.

        A recipe that shares no word with the text is not nearest.

        Args:
            part: of the recipes: "ingredients", "steps" or "recipe" for both.
        """
        likeness = self._word_index(part).likeness(text)
        own = likeness[self._places[recipe.id]]
        return bool(own > 0 and own >= likeness.max() - 1e-9)

    def _word_index(self, part: str) -> "_WordIndex":
        if part not in self._word_indexes:
            texts = (body_of(recipe.ingredients, recipe.steps, part) for recipe in self._recipes)
            self._word_indexes[part] = _WordIndex(texts)
        return self._word_indexes[part]

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """The words of all recipes, and the Indonesian words of the lexicon (misspellings aside) and conversations."""
        lexicon = tomllib.loads(files("koki.ingredients").joinpath("lexicon.toml").read_text(encoding="utf-8"))
        del lexicon["spelling"]
        lists = [tomllib.loads(files(package).joinpath(name).read_text("utf-8")) for package, name in _WORD_LISTS]
        around = chain.from_iterable(map(_texts, (lexicon, WORDS["absent"]["dishes"], *lists)))
        recipes = (f"{recipe.title}\n{body_of(recipe.ingredients, recipe.steps, 'recipe')}" for recipe in self._recipes)
        return (_words_in(around) - _FOREIGN) | _words_in(recipes)


def _words_in(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in words_of(text))


def body_of(ingredients: Sequence[Ingredient], steps: Sequence[str], part: str) -> str:
    """The text of a recipe, or of a part of it."""
    texts = {"ingredients": list_ingredients(ingredients), "steps": list_steps(steps)}
    return texts[part] if part in texts else "\n".join(texts.values())


def missing_for(recipe: Recipe, at_hand: Sequence[str]) -> Suggestion | None:
    """What a recipe uses of the ingredients at hand, and what it needs besides; None where it uses nothing."""
    return next(iter(Pantry([recipe]).what_can_i_cook(at_hand, 1)), None)


class _WordIndex:
    """An index from words to the texts that have them."""

    def __init__(self, texts: Iterable[str]) -> None:
        places: dict[str, list[int]] = {}
        sizes: list[int] = []
        for place, text in enumerate(texts):
            words = set(words_of(text))
            sizes.append(len(words))
            for word in words:
                places.setdefault(word, []).append(place)
        self._sizes = np.array(sizes, dtype=np.int64)
        self._places = {word: np.array(found, dtype=np.int64) for word, found in places.items()}

    def likeness(self, text: str) -> NDArray[np.float64]:
        """The Dice coefficient of a text with each of the texts, shape (texts,).

        It is twice the number of words in common, over the number of words of both.
        """
        words = set(words_of(text))
        found = [self._places[word] for word in words if word in self._places]
        common = np.bincount(np.concatenate([*found, np.empty(0, np.int64)]), minlength=len(self._sizes))
        return 2 * common / np.maximum(1, self._sizes + len(words))


def _texts(value: Any) -> Iterator[str]:
    """All values that are texts in a parsed TOML file."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
