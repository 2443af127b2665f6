"""What an ingredient is called in a kitchen: "tempe papan sktr 250gr" is tempe, "cinta" is nothing to cook with."""

from collections.abc import Sequence
from functools import cache, lru_cache

from koki.book.pantry import Thing, thing
from koki.book.words import load_words
from koki.ingredients.lexicon import LEXICON, fold, is_seasoning, match
from koki.recipes.recipe import Recipe


@lru_cache(maxsize=16384)
def kitchen_name(name: str) -> str | None:
    """The longest beginning of a name that consists of words for food, as the cook spells them; None without one.

    What is left means the same or less: "keju quick melt sebanyak" is a keju, but "kuning telur asin" no kuning telur.
    """
    words = name.split()
    for size in range(len(words), 0, -1):
        beginning = " ".join(words[:size])
        if _is_food(fold(beginning).split()) and _is_kind_of(name, beginning):
            return beginning
    return None


def kitchen_names(recipe: Recipe) -> tuple[str, ...]:
    """The main ingredients under their kitchen names, each once; those that have none are left out."""
    return tuple(dict.fromkeys(name for name in map(kitchen_name, recipe.main_ingredients) if name))


def general_names(name: str) -> frozenset[str]:
    """What an ingredient may be a kind of, in a word: tepung terigu of "tepung", kemangi of "daun"."""
    it = thing(name)
    return frozenset(spelt.split()[0] for spelt in (fold(name), it.root if it else "") if spelt)


def unrelated_names(recipe: Recipe) -> tuple[str, ...]:
    """The kitchen names, without those that are a kind of one before them or the other way round.

    So somebody would name what is at hand who has everything that the recipe needs.
    """
    found: dict[str, Thing] = {}
    for name in kitchen_names(recipe):
        it = thing(name)
        if it and not any(it.is_related_to(other) for other in found.values()):
            found[name] = it
    return tuple(found)


def inquiry_subjects(recipe: Recipe) -> tuple[str, ...]:
    """The ingredients that make the dish; names that are no food, and seasonings, only where there is nothing else."""
    known, written = kitchen_names(recipe), recipe.main_ingredients
    return _without_seasonings(known) or _without_seasonings(written) or known or written


def _without_seasonings(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if not is_seasoning(name))


def _is_food(words: list[str]) -> bool:
    size = match(LEXICON.known, words, 0)[0] if words else 0
    return size > 0 and all(word in _vocabulary() for word in words[size:])


def _is_kind_of(name: str, other: str) -> bool:
    it, of = thing(name), thing(other)
    return it is not None and of is not None and it.is_kind_of(of)


@cache
def _vocabulary() -> frozenset[str]:
    """The words of all known names, and those that tell kinds of them apart."""
    return load_words().kitchen.kinds.union(LEXICON.known.words())
