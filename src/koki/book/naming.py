"""How each recipe is asked for, so that no question has two answers.

Home cooks post "Tongseng Kambing" ninety times. The bare title belongs to the best-loved of them; the others are asked
for with what sets them apart: an ingredient they have, one they do without, or several they have together.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, combinations, count
from typing import Final, NamedTuple, Self

from koki.book.kitchen import kitchen_names
from koki.book.pantry import Thing, thing
from koki.book.titles import spoken
from koki.book.words import load_words
from koki.ingredients.lexicon import fold, is_seasoning
from koki.language import _
from koki.progress import stage
from koki.recipes.recipe import Recipe

# Ingredients that are named together, at most; a number is easier to read than more of them.
_MOST_NAMED: Final = 3


class Titled(NamedTuple):
    """What of a recipe is needed of all, to name each of them.

    Attributes:
        size: ingredients and steps.
    """

    title: str
    loves: int | None
    size: int
    id: str

    @classmethod
    def of(cls, recipe: Recipe) -> Self:
        """What is needed of this one."""
        return cls(recipe.title, recipe.loves, len(recipe.ingredients) + len(recipe.steps), recipe.id)

    @property
    def rank(self) -> tuple[int, int, str]:
        """Of recipes with equal titles the one whose rank is the least has the bare title."""
        return -(self.loves or 0), -self.size, self.id


def names_of(recipes: Sequence[Recipe]) -> dict[str, str]:
    """Recipe id -> the name it is asked by, as `names_by_number` gives it."""
    titled = list(map(Titled.of, recipes))
    return dict(zip((it.id for it in titled), names_by_number(titled, recipes), strict=True))


def names_by_number(titled: Sequence[Titled], recipes: Sequence[Recipe]) -> list[str]:
    """The name that each recipe is asked by; no two names are equal, whatever their capitals.

    Of recipes with equal titles (spelling variants folded) the best-loved keeps the bare title; of equally loved ones
    that with more to it, then the lower id.

    Args:
        titled: of each of the recipes, in order.
        recipes: are read where a title is shared, one at a time.
    """
    names = [spoken(it.title) for it in titled]
    by_title: defaultdict[str, list[int]] = defaultdict(list)
    for number, name in enumerate(names):
        by_title[title_key(name)].append(number)
    groups = [sorted(group, key=lambda number: titled[number].rank) for group in by_title.values()]
    del by_title  # of a million recipes these are a hundred megabytes
    taken = {names[group[0]].lower() for group in groups}
    with stage(_("Naming dishes"), len(names)) as advance:
        for first, *others in groups:
            if others:
                apart = told_apart(recipes[first], (recipes[number] for number in others), taken.__contains__)
                for number, name in zip(others, apart, strict=True):
                    names[number] = name
                    taken.add(name.lower())
            advance(1 + len(others))
    return names


def title_key(title: str) -> str:
    """What titles that are equal, but for capitals and the spelling of ingredients, have in common."""
    return fold(title) or title.lower()


class _Dish(NamedTuple):
    """What of a recipe can set it apart."""

    title: str
    names: tuple[str, ...]
    things: tuple[Thing, ...]

    @classmethod
    def of(cls, recipe: Recipe) -> Self:
        things = (it for it in map(thing, recipe.main_ingredients) if it)
        return cls(spoken(recipe.title), kitchen_names(recipe), tuple(things))

    def has(self, name: str) -> bool:
        """Whether it has the ingredient, a kind of it, or what it is a kind of."""
        wanted = thing(name)
        return wanted is not None and any(it.is_related_to(wanted) for it in self.things)


def told_apart(first: Recipe, others: Iterable[Recipe], is_taken: Callable[[str], bool]) -> Iterator[str]:
    """Names for recipes whose title is another's, in order.

    Args:
        first: the recipe that has the bare title.
        is_taken: whether a name, in small letters, is another recipe's; one that was given here is so at once.
    """
    first_dish, *dishes = map(_Dish.of, chain([first], others))
    common = _common([first_dish, *dishes])
    numbers: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(2))
    for dish in dishes:
        numbered = _numbered(dish.title, numbers[dish.title.lower()])
        candidates = chain(_telling(dish, first_dish, common), numbered)
        yield next(name for name in candidates if not is_taken(name.lower()))


def _common(dishes: Sequence[_Dish]) -> list[str]:
    """The ingredients that more than half of the dishes have, the commonest first."""
    # dict.fromkeys, as the order of a set differs from process to process, and with it which of equal counts is first
    counts = Counter(name for dish in dishes for name in dict.fromkeys(map(fold, dish.names)))
    return [name for name, number in counts.most_common() if number > len(dishes) / 2]


def _telling(dish: _Dish, first: _Dish, common: Sequence[str]) -> Iterator[str]:
    """Names that say what sets a dish apart from the first, the most telling ones first."""
    forms, join = load_words().naming, load_words().joining.join
    title, told = dish.title, fold(dish.title)  # what the title says already sets nothing apart
    telling = [name for name in dish.names if not first.has(name) and fold(name) not in told]
    telling.sort(key=is_seasoning)  # what makes the dish before what seasons it
    for name in telling:
        yield forms.having.format(dish=title, ingredients=name)
    for name in common:
        if not dish.has(name) and name not in told:
            yield forms.without.format(dish=title, ingredient=name)
    for size in range(2, _MOST_NAMED + 1):
        for together in combinations(telling, size):
            yield forms.having.format(dish=title, ingredients=join(together))


def _numbered(title: str, numbers: Iterator[int]) -> Iterator[str]:
    form = load_words().naming.numbered
    return (form.format(dish=title, number=number) for number in numbers)
