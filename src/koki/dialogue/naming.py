"""How each recipe is asked for, so that no question has two answers.

Home cooks post "Tongseng Kambing" ninety times. The bare title belongs to the best-loved of them; the others are asked
for with what sets them apart: an ingredient they have, one they do without, or several they have together.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

from koki.book.pantry import thing
from koki.dialogue.kitchen import kitchen_names
from koki.dialogue.phrasebook import Phrasebook
from koki.dialogue.titles import spoken
from koki.ingredients.lexicon import fold, is_seasoning
from koki.recipes.recipe import Recipe

# Ingredients that are named together, at most; a number is easier to read than more of them.
_MOST_NAMED: Final = 3


def names_of(recipes: Sequence[Recipe], book: Phrasebook) -> dict[str, str]:
    """Recipe id -> the name it is asked by; no two names are equal, whatever their capitals.

    Of recipes with equal titles (spelling variants folded) the best-loved keeps the bare title; of equally loved ones
    that with more to it, then the lower id.
    """
    titles = {recipe.id: spoken(recipe.title, book.titles) for recipe in recipes}
    groups: defaultdict[str, list[Recipe]] = defaultdict(list)
    for recipe in recipes:
        title = titles[recipe.id]
        groups[fold(title) or title.lower()].append(recipe)
    ordered = [sorted(group, key=_rank) for group in groups.values()]
    names = {group[0].id: titles[group[0].id] for group in ordered}
    taken = {name.lower() for name in names.values()}
    for first, *others in ordered:
        common = _common([first, *others])
        for recipe in others:
            candidates = _candidates(titles[recipe.id], recipe, first, common, book)
            name = next(name for name in candidates if name.lower() not in taken)
            names[recipe.id] = name
            taken.add(name.lower())
    return names


def _rank(recipe: Recipe) -> tuple[int, int, str]:
    return -(recipe.loves or 0), -len(recipe.ingredients) - len(recipe.steps), recipe.id


def _common(recipes: Sequence[Recipe]) -> list[str]:
    """The ingredients that more than half of the recipes have, the commonest first."""
    # dict.fromkeys, as the order of a set differs from process to process, and with it which of equal counts is first
    counts = Counter(name for recipe in recipes for name in dict.fromkeys(map(fold, kitchen_names(recipe))))
    return [name for name, count in counts.most_common() if count > len(recipes) / 2]


def _candidates(title: str, recipe: Recipe, first: Recipe, common: Sequence[str], book: Phrasebook) -> Iterator[str]:
    """Names from the most telling to a mere number; the numbers never end."""
    forms = book.naming
    told = fold(title)  # what the title says already sets nothing apart
    telling = [name for name in kitchen_names(recipe) if not _has(first, name) and fold(name) not in told]
    telling.sort(key=is_seasoning)  # what makes the dish before what seasons it
    for name in telling:
        yield forms.having.format(dish=title, ingredients=name)
    for name in common:
        if not _has(recipe, name) and name not in told:
            yield forms.without.format(dish=title, ingredient=name)
    for size in range(2, _MOST_NAMED + 1):
        for together in combinations(telling, size):
            yield forms.having.format(dish=title, ingredients=book.joining.join(together))
    number = 2
    while True:
        yield forms.numbered.format(dish=title, number=number)
        number += 1


def _has(recipe: Recipe, name: str) -> bool:
    """Whether the recipe has the ingredient, a kind of it, or what it is a kind of."""
    wanted = thing(name)
    return wanted is not None and any(it and it.is_related_to(wanted) for it in map(thing, recipe.main_ingredients))
