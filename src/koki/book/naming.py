"""How each recipe is asked for, so that no question has two answers.

Home cooks post "Tongseng Kambing" ninety times. The bare title belongs to the best-loved of them; the others are asked
for with what sets them apart: an ingredient they have, one they do without, or several they have together.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, combinations, count
from typing import Final

from koki.book.kitchen import kitchen_names
from koki.book.pantry import thing
from koki.book.titles import spoken
from koki.book.words import load_words
from koki.ingredients.lexicon import fold, is_seasoning
from koki.recipes.recipe import Recipe

# Ingredients that are named together, at most; a number is easier to read than more of them.
_MOST_NAMED: Final = 3


def names_of(recipes: Sequence[Recipe]) -> dict[str, str]:
    """Recipe id -> the name it is asked by; no two names are equal, whatever their capitals.

    Of recipes with equal titles (spelling variants folded) the best-loved keeps the bare title; of equally loved ones
    that with more to it, then the lower id.
    """
    groups: defaultdict[str, list[Recipe]] = defaultdict(list)
    for recipe in recipes:
        groups[title_key(spoken(recipe.title))].append(recipe)
    ordered = [sorted(group, key=rank) for group in groups.values()]
    names = {group[0].id: spoken(group[0].title) for group in ordered}
    taken = {name.lower() for name in names.values()}
    for first, *others in ordered:
        for recipe, name in told_apart(first, others, taken.__contains__):
            names[recipe.id] = name
            taken.add(name.lower())
    return names


def title_key(title: str) -> str:
    """What titles that are equal, but for capitals and the spelling of ingredients, have in common."""
    return fold(title) or title.lower()


def rank(recipe: Recipe) -> tuple[int, int, str]:
    """Of recipes with equal titles the one whose rank is the least has the bare title."""
    return -(recipe.loves or 0), -len(recipe.ingredients) - len(recipe.steps), recipe.id


def told_apart(
    first: Recipe, others: Sequence[Recipe], is_taken: Callable[[str], bool]
) -> Iterator[tuple[Recipe, str]]:
    """Names for recipes whose title is another's.

    Args:
        first: the recipe that has the bare title.
        is_taken: whether a name, in small letters, is another recipe's; one that was given here is so at once.
    """
    common = _common([first, *others])
    numbers: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(2))
    for recipe in others:
        title = spoken(recipe.title)
        candidates = chain(_telling(title, recipe, first, common), _numbered(title, numbers[title.lower()]))
        yield recipe, next(name for name in candidates if not is_taken(name.lower()))


def _common(recipes: Sequence[Recipe]) -> list[str]:
    """The ingredients that more than half of the recipes have, the commonest first."""
    # dict.fromkeys, as the order of a set differs from process to process, and with it which of equal counts is first
    counts = Counter(name for recipe in recipes for name in dict.fromkeys(map(fold, kitchen_names(recipe))))
    return [name for name, number in counts.most_common() if number > len(recipes) / 2]


def _telling(title: str, recipe: Recipe, first: Recipe, common: Sequence[str]) -> Iterator[str]:
    """Names that say what sets a recipe apart from the first, the most telling ones first."""
    forms, join = load_words().naming, load_words().joining.join
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
            yield forms.having.format(dish=title, ingredients=join(together))


def _numbered(title: str, numbers: Iterator[int]) -> Iterator[str]:
    form = load_words().naming.numbered
    return (form.format(dish=title, number=number) for number in numbers)


def _has(recipe: Recipe, name: str) -> bool:
    """Whether the recipe has the ingredient, a kind of it, or what it is a kind of."""
    wanted = thing(name)
    return wanted is not None and any(it and it.is_related_to(wanted) for it in map(thing, recipe.main_ingredients))
