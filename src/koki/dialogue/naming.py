"""How each recipe is asked for, so that no question has two answers.

Home cooks post "Tongseng Kambing" ninety times. The bare title belongs to the best-loved of them; the others are asked
for with what sets them apart: an ingredient they have, one they do without, or several they have together.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from koki.dialogue.phrasebook import Phrasebook
from koki.recipes.ingredients import fold, is_seasoning
from koki.recipes.table import Recipe

# Ingredients named together, at most; past that a number is easier to read.
_MOST_NAMED = 3


def names_of(recipes: Sequence[Recipe], book: Phrasebook) -> dict[str, str]:
    """Recipe id -> the name it is asked by; no two names are equal, whatever their capitals.

    Of recipes with equal titles (spelling variants folded) the best-loved keeps the bare title; of equally loved ones
    that with more to it, then the lower id.
    """
    groups: defaultdict[str, list[Recipe]] = defaultdict(list)
    for recipe in recipes:
        groups[fold(recipe.title) or recipe.title.lower()].append(recipe)
    ordered = [sorted(group, key=_rank) for group in groups.values()]
    names = {group[0].id: group[0].title for group in ordered}
    taken = {name.lower() for name in names.values()}
    for first, *others in ordered:
        shared = Counter(name for recipe in (first, *others) for name in _folded(recipe))
        common = [name for name, count in shared.most_common() if count > (1 + len(others)) / 2]
        for recipe in others:
            name = next(name for name in _candidates(recipe, first, common, book) if name.lower() not in taken)
            names[recipe.id] = name
            taken.add(name.lower())
    return names


def _rank(recipe: Recipe) -> tuple[int, int, str]:
    return -(recipe.loves or 0), -len(recipe.ingredients) - len(recipe.steps), recipe.id


def _folded(recipe: Recipe) -> set[str]:
    return {fold(name) for name in recipe.main_ingredients}


def _candidates(recipe: Recipe, first: Recipe, common: Sequence[str], book: Phrasebook) -> Iterator[str]:
    """Names from the most telling to a mere number; the numbers never end."""
    forms = book.naming
    own, of_first, title = _folded(recipe), _folded(first), fold(recipe.title)
    # what makes the dish before what seasons it; what the title says already sets nothing apart
    telling = [name for name in recipe.main_ingredients if fold(name) not in of_first and fold(name) not in title]
    telling.sort(key=is_seasoning)
    for name in telling:
        yield forms.having.format(dish=recipe.title, ingredients=name)
    for name in common:
        if name not in own:
            yield forms.without.format(dish=recipe.title, ingredient=name)
    for size in range(2, _MOST_NAMED + 1):
        for together in combinations(telling, size):
            ingredients = book.joining.join(together)
            yield forms.having.format(dish=recipe.title, ingredients=ingredients)
    number = 2
    while True:
        yield forms.numbered.format(dish=recipe.title, number=number)
        number += 1
