"""What the questions about some recipes are made of: their words, and the names of ingredients."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple, Self

from koki.dialogue.detail_words import load_details
from koki.dialogue.phrasebook import Phrasebook, load_refusals, load_tips
from koki.recipes.recipe import Recipe

WORD: Final = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
"""A word of a question."""


class Vocabulary(NamedTuple):
    """What all questions about some recipes are made of, in lower case.

    Attributes:
        words: without those of the purposes that steps give, which stand in questions with the name of their dish.
        ingredients: names that are asked about.
        common: the words around the names of dishes and ingredients.
    """

    words: frozenset[str]
    ingredients: frozenset[str]
    common: frozenset[str]

    @classmethod
    def of(cls, recipes: Sequence[Recipe], names: Mapping[str, str], book: Phrasebook) -> Self:
        """That of recipes under these names, and of all that is asked besides."""
        ingredients = frozenset(name.lower() for recipe in recipes for name in recipe.main_ingredients)
        tips = chain.from_iterable(tip.questions for tip in load_tips())
        refusals = chain.from_iterable(refusal.questions for refusal in load_refusals())
        common = _words_in(chain(_forms(book), _forms_of_details()))
        asked = chain(tips, refusals, names.values(), ingredients, _names_in_details(recipes))
        return cls(common | _words_in(asked), ingredients, common)

    @classmethod
    def joined(cls, parts: Iterable[Self]) -> Self:
        """That of all recipes, from those `of` parts of them."""
        words: set[str] = set()
        ingredients: set[str] = set()
        common: set[str] = set()
        for part in parts:
            words |= part.words
            ingredients |= part.ingredients
            common |= part.common
        return cls(frozenset(words), frozenset(ingredients), frozenset(common))


def _forms_of_details() -> Iterator[str]:
    book = load_details()
    yield from (form.question for forms in book.forms.values() for form in forms)
    yield from chain.from_iterable(book.times.values())
    for name in (*book.words.general, *book.words.done):
        yield from _with_endings(name)


def _names_in_details(recipes: Sequence[Recipe]) -> Iterator[str]:
    """All ingredients, the staples too, their units, and both with what stands behind them in one word."""
    items = {item for recipe in recipes for item in recipe.ingredients}
    names = {name for item in items for name in (*item.names, *item.alternatives, item.unit) if name}
    for name in names:
        yield from _with_endings(name)


def _with_endings(name: str) -> Iterator[str]:
    yield name
    # of each word, as what is asked about may be the first words of a name
    yield from (f"{word}{ending}" for word in name.split() for ending in load_details().endings)


def _forms(book: Phrasebook) -> Iterator[str]:
    for questions in (book.standard, book.simple, book.recommendation, book.inquiry):
        yield from (form.question for form in questions)
    yield from (*chain(*book.short.recipe, *book.short.ingredients, *book.short.steps), *book.short.inquiry)
    yield from book.reasons.questions


def _words_in(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word for text in texts for word in WORD.findall(text.lower()))
