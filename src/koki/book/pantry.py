"""The index from ingredients to recipes: which recipes have one, and what can be cooked with what is at hand.

A name stands for a `Thing`: a head and the words that narrow it. What is a kind of what follows from that, so "cabe"
finds "cabai rawit merah" and "ayam" finds "paha ayam fillet", but not "kaldu ayam". The rules are here, the words in
``pantry.toml``.
"""

import math
import tomllib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, reduce
from importlib.resources import files
from itertools import chain, compress
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from koki.ingredients.lexicon import fold, is_seasoning, is_staple
from koki.ingredients.parse import Ingredient
from koki.recipes.recipe import Recipe

# The weight of a seasoning, compared with that of an ingredient that makes the dish. A real recipe has 6.3 of the one
# and 2.3 of the other, so seasonings count for a third of it.
_SEASONING: Final = 0.25
# A thing that fewer than this share of the recipes have weighs as if this share had it: many rarer names are misspelt.
_RAREST: Final = 0.01

Places = NDArray[np.int64]
Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A dish, and what it needs besides staples: names as the recipe writes them, in its order."""

    recipe: Recipe
    at_hand: tuple[str, ...]
    missing: tuple[str, ...]


# --------------------------------------------------------------------------------------------------------- kinds


class Thing(NamedTuple):
    """What a name stands for.

    Attributes:
        root: the name under which all its kinds are found: "cabai" for "cabai rawit merah".
        head: what it is: "cabai rawit".
        words: the head and what narrows it: {"cabai", "rawit", "merah"}.
    """

    root: str
    head: str
    words: frozenset[str]

    def is_kind_of(self, other: "Thing") -> bool:
        """Whether it is the other thing, narrowed by further words or by none."""
        if self.head == other.head:
            return self.words >= other.words
        return other.words == {self.root}

    def is_related_to(self, other: "Thing") -> bool:
        """Whether one is a kind of the other."""
        return self.is_kind_of(other) or other.is_kind_of(self)


class _Part(NamedTuple):
    of: frozenset[str]
    says_nothing: frozenset[str]
    says: frozenset[str]


class _Words:
    """``pantry.toml``, compiled."""

    def __init__(self) -> None:
        data: dict[str, Any] = tomllib.loads(files(__package__).joinpath("pantry.toml").read_text(encoding="utf-8"))
        self.same: dict[str, str] = data["bare"] | {it: name for name, others in data["same"].items() for it in others}
        self.means: dict[str, str] = data["means"]
        self.short_for = {word: head for head, words in data["short_for"].items() for word in words.split()}
        self.nothing = frozenset(data["leading"]["nothing"].split())
        self.parts = [_Part(*(frozenset(part[key].split()) for key in _Part._fields)) for part in data["part"]]
        self.open = frozenset(data["heads"]["open"].split())
        self.own = frozenset(tuple(phrase.split()) for phrase in data["heads"]["own"])
        self.kind = frozenset(tuple(phrase.split()) for phrase in data["heads"]["kind"])


_WORDS: Final = _Words()


@lru_cache(maxsize=16384)
def thing(name: str) -> Thing | None:
    """What a name stands for; None for a name without a letter or digit."""
    words = _head_first(fold(name).split())
    if not words:
        return None
    first = words[0]
    for second in words[1:]:
        if (first, second) in _WORDS.own:
            return Thing(f"{first} {second}", f"{first} {second}", frozenset(words))
        if (first, second) in _WORDS.kind:
            return Thing(first, f"{first} {second}", frozenset(words))
    head = " ".join(words[:2]) if first in _WORDS.open else first
    return Thing(head, head, frozenset(words))


def _head_first(words: list[str]) -> list[str]:
    """The words with the head in front, under one of its names."""
    while len(words) > 1 and words[0] in _WORDS.nothing and " ".join(words) not in _WORDS.same:
        words = words[1:]
    if (name := " ".join(words)) in _WORDS.same:
        return _WORDS.same[name].split()
    for part in _WORDS.parts:
        words = _part_behind(words, part)
    if words and words[0] in _WORDS.means:
        return [_WORDS.means[words[0]], *words[1:]]
    if words and words[0] in _WORDS.short_for:
        return [_WORDS.short_for[words[0]], *words]
    return words


def _part_behind(words: list[str], part: _Part) -> list[str]:
    """``["dada", "ayam"]`` -> ``["ayam", "dada"]``; ``["daging", "ayam"]`` -> ``["ayam"]``."""
    size = 0
    while size < len(words) and words[size] in part.says | part.says_nothing:
        size += 1
    if size == len(words) or words[size] not in part.of:
        return words
    return [*words[size:], *(word for word in words[:size] if word in part.says)]


# --------------------------------------------------------------------------------------------------------- needs


class Need(NamedTuple):
    """One thing a recipe asks for: its name and those of the alternatives, and whether the dish needs it."""

    names: tuple[str, ...]
    things: tuple[Thing, ...]
    required: bool


def needs_of(recipe: Recipe) -> list[Need]:
    """What a recipe needs besides staples, each thing once; it is required if one of the lines requires it."""
    needs: dict[Thing, Need] = {}
    for names, optional in _lines(recipe.ingredients):
        things = {name: found for name in names if (found := thing(name))}
        if not things or is_staple(names[0]):
            continue
        need = Need(tuple(things), tuple(things.values()), not optional and not any(map(is_staple, names)))
        known = needs.setdefault(need.things[0], need)
        if need.required and not known.required:
            needs[need.things[0]] = known._replace(required=True)
    return list(needs.values())


def _met(needs: Iterable[Need], at_hand: Mapping[str, Sequence[Thing]]) -> tuple[str | None, ...]:
    """For each need the first of its names that something at hand can stand for, or None.

    Args:
        at_hand: as `by_root` gives it.
    """
    met: list[str | None] = []
    for names, things, _ in needs:
        for name, it in zip(names, things, strict=True):
            if it.root in at_hand and any(map(it.is_related_to, at_hand[it.root])):
                met.append(name)
                break
        else:
            met.append(None)
    return tuple(met)


def _lines(ingredients: Iterable[Ingredient]) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The names that stand for each other, and whether they may be left out."""
    for item in ingredients:
        if item.name and not item.heading:
            yield (item.name, *item.alternatives), item.optional
            yield from (((other,), item.optional) for other in item.others)


# ---------------------------------------------------------------------------------------------------- what suits


class Uses(NamedTuple):
    """The recipes that use a thing.

    Attributes:
        places: of the recipes, ascending, shape (recipes,).
        shares: the share of what the recipe needs that the thing covers, and the thing's weight, shape (2, recipes).
    """

    places: Places
    shares: Shares

    @classmethod
    def of(cls, owners: Places, shares: Shares, weight: float) -> Self:
        """Those of the recipes that own some needs, with the share of each need; the weight is the thing's."""
        places, number = np.unique(owners, return_inverse=True)
        covered = np.bincount(number, weights=shares, minlength=len(places))
        return cls(places, np.stack([covered, np.full(len(places), weight)]))


class _Dish(NamedTuple):
    """How well a recipe suits what is at hand; of two dishes the better one is the lesser.

    Attributes:
        badness: the negative score.
        met: for each need the name that something at hand can stand for, or None.
    """

    badness: float
    place: int
    met: tuple[str | None, ...]


class Dishes(ABC):
    """Recipes, by their ingredients, wherever they are kept.

    A recipe's place is its rank: the best-loved has the lowest, of equally loved ones that with the lower id.
    """

    def __init__(self) -> None:
        self._weigh = cache(self._find_weight)
        self._uses_of = lru_cache(maxsize=4096)(self._find_uses_of)
        # Cooks combine the same things again and again: nine of ten lookups repeat an earlier one.
        self._shares_among = lru_cache(maxsize=4096)(self._find_shares_among)

    def forget(self) -> None:
        """Forget what was found: the recipes are others now."""
        for found in (self._weigh, self._uses_of, self._shares_among):
            found.cache_clear()

    @abstractmethod
    def recipe_at(self, place: int) -> Recipe:
        """The recipe of this rank."""

    @abstractmethod
    def _needs_at(self, place: int) -> Sequence[Need]:
        """What it needs: see `needs_of`."""

    @abstractmethod
    def places_with(self, wanted: Thing) -> Places:
        """The recipes with this thing or a kind of it, ascending."""

    @abstractmethod
    def _find_uses_of(self, at_hand: Thing) -> Uses:
        """The recipes that need something that the thing can stand for."""

    @abstractmethod
    def _find_weight(self, head: str) -> float:
        """The weight of a thing with this head: see `weight_of`."""

    def _find_shares_among(self, users: Thing, of: Thing) -> Shares:
        """The shares of one thing in all recipes that use another; 0 where they do not use it."""
        wanted, (places, shares) = self._uses_of(users).places, self._uses_of(of)
        at = np.searchsorted(places, wanted)
        found: Shares = shares.take(at, axis=1, mode="clip") * (places.take(at, mode="clip") == wanted)
        return found

    def places_with_any(self, names: Iterable[str]) -> Places:
        """The recipes with one of these ingredients or a kind of it."""
        return distinct(joined(self.places_with(it) for it in map(thing, names) if it))

    def with_ingredient(self, name: str) -> list[Recipe]:
        """The recipes with this ingredient or a kind of it, the best-loved first; equally loved ones by id."""
        wanted = thing(name)
        return [self.recipe_at(int(place)) for place in self.places_with(wanted)] if wanted else []

    def what_can_i_cook(self, have: Sequence[str], n: int, without: Sequence[str] = ()) -> list[Suggestion]:
        """The ``n`` dishes that suit best what is at hand, the best first; none that uses nothing of it.

        A dish's score is the share of it that is at hand, times the share of what is at hand that it uses. In both,
        what makes a dish counts more than a seasoning, and what few recipes have counts more than what all have. Of
        dishes with equal scores the best-loved comes first, then the one with the lower id.

        Args:
            have: names of ingredients. A kind of what a recipe asks for is as good as the thing itself, and the
                other way round: with "cabai" at hand, "cabai rawit" is not missing.
            n: how many at most.
            without: names of ingredients; a dish that has one of them or a kind of it is left out.
        """
        if n < 1:
            return []
        weights = {it: self._weigh(it.head) for it in map(thing, have) if it and len(self._uses_of(it).places)}
        at_hand = sorted(weights, key=lambda it: -weights[it])
        unwanted = self.places_with_any(without)
        offered = left = sum(weights.values())
        best: list[_Dish] = []
        for heaviest in at_hand:
            # Dishes with something heavier are known by now, and all others use no more than what is left.
            if len(best) == n and _score(left / offered) < -best[-1].badness:
                break
            best = sorted({*best, *self._best_with(heaviest, at_hand, offered, n, unwanted)})[:n]
            left -= weights[heaviest]
        return [self._suggestion(dish) for dish in best]

    def _best_with(self, one: Thing, at_hand: Sequence[Thing], offered: float, n: int, unwanted: Places) -> list[_Dish]:
        """The ``n`` best dishes that use one of the things at hand."""
        places = self._uses_of(one).places
        covered, used = reduce(np.add, (self._shares_among(one, it) for it in at_hand))
        used = used / offered
        scores = _score(covered * used)
        if len(unwanted):
            scores[np.isin(places, unwanted, assume_unique=True)] = 0
        at_hand_by_root = by_root(at_hand)
        best: list[_Dish] = []
        while len(best) < n and scores[first := int(scores.argmax())]:
            place = int(places[first])
            needs = self._needs_at(place)
            weights = self._weights_of(needs)
            met = _met(needs, at_hand_by_root)
            score = _score(sum(compress(weights, met)) / _total(weights) * used[first])
            if score < scores[first]:  # two things at hand can stand for the same need, which counts once
                scores[first] = score
            else:
                best.append(_Dish(-score, place, met))
                scores[first] = 0
        return best

    def _weights_of(self, needs: Iterable[Need]) -> list[float]:
        return [self._weigh(need.things[0].head) * need.required for need in needs]

    def _suggestion(self, dish: _Dish) -> Suggestion:
        needs = zip(self._needs_at(dish.place), dish.met, strict=True)
        return Suggestion(
            recipe=self.recipe_at(dish.place),
            at_hand=tuple(filter(None, dish.met)),
            missing=tuple([need.names[0] for need, name in needs if need.required and not name]),
        )


def used_of(at_hand: Iterable[str], suggestion: Suggestion) -> tuple[str, ...]:
    """What the dish uses of what is at hand, as it was named there: "ayam", though the recipe says "ayam kampung"."""
    met = by_root(it for it in map(thing, suggestion.at_hand) if it)
    have = {name: thing(name) for name in at_hand}
    return tuple(name for name, it in have.items() if it and any(map(it.is_related_to, met.get(it.root, ()))))


def weight_of(head: str, recipes_with: int, recipes: int) -> float:
    """The weight of a thing: its inverse document frequency, as text retrieval weighs words.

    Args:
        recipes_with: recipes that need something with this head.
        recipes: all recipes.
    """
    everywhere = max(1, recipes)
    weight = 1 + math.log(everywhere / max(recipes_with, _RAREST * everywhere))
    return weight * _SEASONING if is_seasoning(head) else weight


def heads_of(needs: Iterable[Need]) -> set[str]:
    """The heads of all things that needs can be met by."""
    return {it.head for need in needs for it in need.things}


# -------------------------------------------------------------------------------------------------------- pantry


class Pantry(Dishes):
    """Recipes, by their ingredients, in memory."""

    def __init__(self, recipes: Iterable[Recipe]) -> None:
        super().__init__()
        # In this order everywhere below, so that the lower place wins a tie.
        self._recipes = sorted(recipes, key=lambda recipe: (-(recipe.loves or 0), recipe.id))
        self._needs = [needs_of(recipe) for recipe in self._recipes]
        self._recipes_with = Counter(chain.from_iterable(map(heads_of, self._needs)))
        self._owner: Places = np.repeat(np.arange(len(self._recipes)), list(map(len, self._needs)))
        self._share: Shares = np.array(list(chain.from_iterable(map(self._shares_of, self._needs))))
        self._index = _index(chain.from_iterable(self._needs))

    def recipe_at(self, place: int) -> Recipe:
        return self._recipes[place]

    def _needs_at(self, place: int) -> Sequence[Need]:
        return self._needs[place]

    def places_with(self, wanted: Thing) -> Places:
        kinds = self._index.get(wanted.root, {})
        found = joined(places for kind, places in kinds.items() if kind.is_kind_of(wanted))
        return distinct(self._owner[found])

    def _find_uses_of(self, at_hand: Thing) -> Uses:
        kinds = self._index.get(at_hand.root, {})
        needs = distinct(joined(places for kind, places in kinds.items() if kind.is_related_to(at_hand)))
        return Uses.of(self._owner[needs], self._share[needs], self._weigh(at_hand.head))

    def _find_weight(self, head: str) -> float:
        return weight_of(head, self._recipes_with[head], len(self._recipes))

    def _shares_of(self, needs: Sequence[Need]) -> list[float]:
        weights = self._weights_of(needs)
        total = _total(weights)
        return [weight / total for weight in weights]


def _total(weights: Iterable[float]) -> float:
    return sum(weights) or 1.0


def _index(needs: Iterable[Need]) -> dict[str, dict[Thing, Places]]:
    """Root -> thing -> the places of the needs that it meets."""
    places: dict[Thing, list[int]] = {}
    for place, need in enumerate(needs):
        for it in need.things:
            places.setdefault(it, []).append(place)
    index: dict[str, dict[Thing, Places]] = {}
    for it, found in places.items():
        index.setdefault(it.root, {})[it] = np.array(found, dtype=np.int64)
    return index


def distinct(places: Places) -> Places:
    """Each of them once, ascending."""
    # np.unique imports NumPy's masked arrays, in 40 ms
    ordered: Places = np.sort(places)
    found: Places = ordered[np.concatenate([ordered[:1] == ordered[:1], ordered[1:] != ordered[:-1]])]
    return found


def joined(places: Iterable[Places]) -> Places:
    """All of them, one after the other."""
    return np.concatenate([np.empty(0, dtype=np.int64), *places])


def by_root(things: Iterable[Thing]) -> dict[str, list[Thing]]:
    """Root -> the things that have it: only these can be related."""
    found: dict[str, list[Thing]] = {}
    for it in things:
        found.setdefault(it.root, []).append(it)
    return found


def _score(value: Any) -> Any:
    """A whole number, so that equally good dishes have the same score whatever the order of the sums."""
    return np.rint(value * 1e9)
