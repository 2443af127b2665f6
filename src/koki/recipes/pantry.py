"""The index from ingredients to recipes: what has it in it, and what can be cooked of what is at hand.

A name stands for a `Thing`: a head and the words that narrow it. What is a kind of what follows from that, so "cabe"
finds "cabai rawit merah" and "ayam" finds "paha ayam fillet", but not "kaldu ayam". The rules are here, the words in
``pantry.toml``.
"""

import math
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from koki.recipes.ingredients import Ingredient, fold, is_seasoning, is_staple
from koki.recipes.recipe import Recipe

SEASONING: Final = 0.25
"""What a seasoning counts, compared with an ingredient that makes the dish. A real recipe has 6.3 of the one and 2.3 of
the other, so seasonings count for a third of it."""

RAREST: Final = 0.01
"""What a smaller share of the recipes has counts as if this share had it: below, many a name is a slip of the pen."""

Places = NDArray[np.int32]
Scores = NDArray[np.float64]


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


class _Need(NamedTuple):
    """One thing a recipe asks for: its name and those of the alternatives, and whether the dish needs it."""

    names: tuple[str, ...]
    things: tuple[Thing, ...]
    required: bool

    def met_with(self, at_hand: Sequence[Thing]) -> str | None:
        """The first of the names that something at hand is good for."""
        pairs = zip(self.names, self.things, strict=True)
        return next((name for name, it in pairs if any(map(it.is_related_to, at_hand))), None)


def _needs(recipe: Recipe) -> list[_Need]:
    """What a recipe needs besides staples, each thing once; it is required if one of the lines requires it."""
    needs: dict[Thing, _Need] = {}
    for names, optional in _lines(recipe.ingredients):
        things = {name: found for name in names if (found := thing(name))}
        if not things or is_staple(names[0]):
            continue
        need = _Need(tuple(things), tuple(things.values()), not optional and not any(map(is_staple, names)))
        known = needs.setdefault(need.things[0], need)
        if need.required and not known.required:
            needs[need.things[0]] = known._replace(required=True)
    return list(needs.values())


def _lines(ingredients: Iterable[Ingredient]) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The names that stand for each other, and whether they may be left out."""
    for item in ingredients:
        if item.name and not item.heading:
            yield (item.name, *item.alternatives), item.optional
            yield from (((other,), item.optional) for other in item.others)


# -------------------------------------------------------------------------------------------------------- pantry


class Pantry:
    """Recipes, by their ingredients."""

    def __init__(self, recipes: Iterable[Recipe]) -> None:
        # In this order everywhere below, so that the lower place wins a tie.
        self._recipes = sorted(recipes, key=lambda recipe: (-(recipe.loves or 0), recipe.id))
        self._needs = [_needs(recipe) for recipe in self._recipes]
        self._recipes_with = Counter(chain.from_iterable(map(_heads, self._needs)))
        needs = list(chain.from_iterable(self._needs))
        self._owner: Places = np.repeat(np.arange(len(self._recipes), dtype=np.int32), list(map(len, self._needs)))
        self._weight = np.array([self._weigh(need.things[0]) * need.required for need in needs], dtype=np.float64)
        total = np.bincount(self._owner, weights=self._weight, minlength=len(self._recipes))
        self._total = np.where(total > 0, total, 1)
        self._index = _index(needs)
        self._met_by = lru_cache(maxsize=4096)(self._find_met_by)

    def with_ingredient(self, name: str) -> list[Recipe]:
        """The recipes with this ingredient or a kind of it, the best-loved first; equally loved ones by id."""
        wanted = thing(name)
        kinds = self._index.get(wanted.root, {}) if wanted else {}
        found = _joined(places for kind, places in kinds.items() if wanted and kind.is_kind_of(wanted))
        return [self._recipes[place] for place in np.unique(self._owner[found])]

    def what_can_i_cook(self, have: Sequence[str], n: int) -> list[Suggestion]:
        """The ``n`` dishes that suit best what is at hand, the best first; none that uses nothing of it.

        A dish is as good as the share of it that is at hand, times the share of what is at hand that it uses. What
        makes a dish counts more in both than a seasoning, and what few recipes have more than what all have. Of
        equally good dishes the best-loved comes first, then the one with the lower id.

        Args:
            have: names of ingredients. A kind of what a recipe asks for is as good as the thing itself, and the
                other way round: with "cabai" at hand, "cabai rawit" is not missing.
            n: how many at most.
        """
        at_hand = list(dict.fromkeys(found for name in have if (found := thing(name))))
        return [self._suggestion(place, at_hand) for place in _best(self._score(at_hand), n)]

    def _score(self, at_hand: list[Thing]) -> Scores:
        is_met = np.zeros(len(self._weight), dtype=bool)
        used = np.zeros(len(self._recipes))
        offered = 0.0
        for one in at_hand:
            needs = self._met_by(one)
            if len(needs):
                weight = self._weigh(one)
                is_met[needs] = True
                used[self._owner[needs]] += weight  # once for each recipe, however many of its needs are met
                offered += weight
        met = np.flatnonzero(is_met)
        covered = np.bincount(self._owner[met], weights=self._weight[met], minlength=len(self._recipes))
        # Rounded, so that dishes that are equally good are so whatever the order of the sums.
        return np.round(covered / self._total * used / (offered or 1), 9)

    def _find_met_by(self, at_hand: Thing) -> Places:
        """The needs that a thing meets, each once."""
        kinds = self._index.get(at_hand.root, {})
        return np.unique(_joined(places for kind, places in kinds.items() if kind.is_related_to(at_hand)))

    def _suggestion(self, place: int, at_hand: list[Thing]) -> Suggestion:
        found = [(need, need.met_with(at_hand)) for need in self._needs[place]]
        return Suggestion(
            recipe=self._recipes[place],
            at_hand=tuple(name for _, name in found if name),
            missing=tuple(need.names[0] for need, name in found if need.required and not name),
        )

    def _weigh(self, it: Thing) -> float:
        """What a thing counts: its inverse document frequency, as text retrieval weighs words."""
        everywhere = len(self._recipes)
        weight = 1 + math.log(everywhere / max(self._recipes_with[it.head], RAREST * everywhere))
        return weight * SEASONING if is_seasoning(it.head) else weight


def _heads(needs: Iterable[_Need]) -> set[str]:
    return {it.head for need in needs for it in need.things}


def _index(needs: Iterable[_Need]) -> dict[str, dict[Thing, Places]]:
    """Root -> thing -> the places of the needs that it meets."""
    places: dict[Thing, list[int]] = {}
    for place, need in enumerate(needs):
        for it in need.things:
            places.setdefault(it, []).append(place)
    index: dict[str, dict[Thing, Places]] = {}
    for it, found in places.items():
        index.setdefault(it.root, {})[it] = np.array(found, dtype=np.int32)
    return index


def _joined(places: Iterable[Places]) -> Places:
    return np.concatenate([np.empty(0, dtype=np.int32), *places])


def _best(score: Scores, n: int) -> list[int]:
    """The ``n`` places with the highest scores above 0, the highest first; of equal ones the lower place."""
    found = np.flatnonzero(score)
    if 0 < n < len(found):  # sorting only what reaches the n-th score takes a tenth of the time
        found = found[score[found] >= np.partition(score[found], -n)[-n]]
    return list(map(int, found[np.argsort(-score[found], kind="stable")][: max(n, 0)]))
