"""What a question asks of the book: which dish, which ingredients, how many portions, and what is wanted of them.

A program's work throughout: the same question to the same book is understood in the same way. The rules are here, in
``question.py`` and in ``dish_names.py``, the words in ``understand.toml``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple

from koki.book.dish_names import Match, match_name, surplus
from koki.book.pantry import thing
from koki.book.question import REQUESTS, Question, food_spans
from koki.book.reading import Wanted
from koki.book.store import Book
from koki.book.wordlists import LISTS, kind_of, words_of_name

_CANDIDATES: Final = 50
_MOST_DISHES: Final = 3
_MOST_NEAREST: Final = 3
# Of the candidates those whose pages are opened, to see whether a word that their names lack is in the dish.
_MOST_OPENED: Final = 8
# Below this no dish of the book was named.
_NAMED: Final = 0.6
# Names whose scores differ by less may both be meant.
_UNSURE: Final = 0.12
# What a name that was said in full is ahead of others.
_IN_FULL: Final = 0.15
# Names that fit less than this are not near.
_NEAR: Final = 0.2

# Earlier questions that are looked at for the dish that is spoken of.
_TURNS: Final = 4
# Of an answer, the letters in which it names its dish.
_OPENING: Final = 160
# Words of a question that tells a story.
_LONG: Final = 15
# Words of a dish's name that is all of a question.
_LONGEST_NAME: Final = 4

# Roles of words that ask for one thing in a recipe.
_OF_A_DISH: Final = frozenset({"count", "when", "heat", "part", "put", "substitute", "first"})
# Roles by which a question may go on about the dish before.
_GOING_ON: Final = _OF_A_DISH | REQUESTS | {"it", "use", "have"}


class Dish(NamedTuple):
    """A dish of the book that may be meant; ``score`` is 1 where its name was said in full."""

    id: str
    name: str
    score: float


@dataclass(frozen=True, slots=True)
class Understood:
    """What a question asks.

    Attributes:
        dishes: the dish that is meant; two or three where it is unsure which; none if none of the book is named.
        absent: the dish that was named and is not in the book, as it was typed.
        nearest: names of dishes near to that.
        have: ingredients at hand, as they were typed.
        without: ingredients that shall not be in it.
        ingredient: the one with which dishes are wanted.
        times: the amounts of the recipe times this, where portions are asked for.
        tip: what to look for among the tips.
    """

    wanted: Wanted
    dishes: tuple[Dish, ...] = ()
    absent: str = ""
    nearest: tuple[str, ...] = ()
    have: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    ingredient: str | None = None
    times: Fraction | None = None
    tip: str = ""


def understand(question: str, book: Book, history: Sequence[tuple[str, str]] = ()) -> Understood:
    """Say what is asked.

    Args:
        history: earlier questions with their answers, the oldest first.

    Raises:
        BookError: the book's file was damaged, or is locked for long.
    """
    asked = _Asked(question, book)
    return asked.whatever_dish() or asked.about_a_dish(history) or asked.about_no_dish()


class _Asked:
    """A question to a book."""

    def __init__(self, text: str, book: Book) -> None:
        self._question, self._book = Question(text), book
        self._roles = self._question.roles
        self._matches = self._find_matches()
        self._dishes = self._find_dishes()

    # ------------------------------------------------------------------------------------------------ which dish

    def _find_matches(self) -> list[Match]:
        """The names that have a word of the question, the best first."""
        words, usable, claimed = self._question.words, self._question.usable, self._question.claimed
        text = " ".join(dict.fromkeys(words[at].text for at in usable))
        candidates = self._book.names_like(text, _CANDIDATES) if text else []
        found = (match_name(dish, words, usable, claimed) for dish in candidates)
        ranked = sorted((it for it in found if it.said), key=_rank)
        return sorted(map(self._with_its_ingredients, ranked[:_MOST_OPENED]), key=_rank)

    def _with_its_ingredients(self, it: Match) -> Match:
        """The match as it is where words that the name lacks are in the dish: "sambal goreng udang pete"."""
        foods = [it.left[start:end] for start, end in food_spans(it.left)]
        if not foods or it.score < _NEAR:
            return it
        items = self._book.page(it.id).recipe.ingredients
        has = [found for item in items for name in item.names if (found := thing(name))]
        known = 0.0
        for words in foods:
            food = thing(" ".join(word.text for word in words))
            if food and any(food.is_related_to(other) for other in has):
                known += sum(map(surplus, words))
        return it._replace(score=min(1.0, it.weight / (it.weight / it.score - known)))

    def _find_dishes(self) -> tuple[Dish, ...]:
        """The dishes that may be meant."""
        fitting = [it for it in self._matches if it.score >= _NAMED and self._tells(it)]
        if fitting and fitting[0].full:
            full = [it for it in fitting if it.full]
            fitting = [it for it in full if not any(it.said < other.said for other in full)]
        fitting = [it for it in fitting if it.score > fitting[0].score - _UNSURE]
        return tuple(Dish(it.id, it.name, it.score) for it in fitting[:_MOST_DISHES])

    def _tells(self, it: Match) -> bool:
        """Whether more of the name was said than ingredients, or all of it, or a place that is all that is named."""
        words = self._question.words
        kinds = {words[at].kind for at in it.said}
        if it.full or kinds & {"dish", "word"} or kinds >= {"way", "food"} or kinds >= {"place", "food"}:
            return True
        if kinds == {"food"} and len(it.said) > 1 and it.said == self._question.claimed:  # "kangkung terasi"
            return {kind_of(part) for part in it.missing} <= {"way", "mild"}
        return kinds == {"place"} and all(word.kind in ("place", "mild") for word in words if word.names)

    def _spoken_of(self, history: Sequence[tuple[str, str]]) -> tuple[Dish, ...]:
        """The dish that was asked for last, or that the answer named."""
        for question, answer in reversed(history[-_TURNS:]):
            asked = _Asked(question, self._book)
            if asked._dishes and not asked._wants_idea:
                return asked._dishes
            named = [dish for dish in _Asked(answer[:_OPENING], self._book)._dishes if dish.score == 1]
            if named or asked._dishes:
                return (*named, *asked._dishes)[:1]
        return ()

    # ---------------------------------------------------------------------------------------- three sorts of question

    def whatever_dish(self) -> Understood | None:
        """What is wanted, where a name of a dish in it does not matter; else None."""
        if self._question.is_harm:
            return self._tip("harm")
        if self._wants_idea:
            return self._idea()
        if self._question.is_foreign and not (self._dishes and self._roles & REQUESTS):
            return Understood("other")
        return None

    def about_a_dish(self, history: Sequence[tuple[str, str]]) -> Understood | None:
        """What is wanted of the dish that is named, or was before; else None."""
        if self._dishes:
            return self._of(self._dishes)
        names_another = any(self._question.words[at].kind in ("dish", "word") for at in self._question.claimed)
        if self._says_instead:
            changed = [self._instead_of(dish.name) for dish in self._spoken_of(history)[:1]]
            return next((asked._of(asked._dishes) for asked in changed if asked._dishes), None)
        if names_another or not self._goes_on or self._question.asks_what_to_cook:
            return None
        spoken_of = self._spoken_of(history)
        return self._of(spoken_of, goes_on=True) if spoken_of else None

    def about_no_dish(self) -> Understood:
        """What is wanted, where no dish of the book is named."""
        asked, roles = self._question, self._roles
        if asked.is_tip or (asked.is_kitchen and roles & {"how", "way", "answer", "count", "when"}):
            return self._tip("tip")
        claimed = {asked.words[at].kind for at in asked.claimed}
        is_one_name = len(asked.foods(asked.claimed)) > 1 and "recipe" in roles  # "resep udang mayones"
        claims_dish = "dish" in claimed or claimed >= {"food", "way"} or is_one_name
        if not claims_dish and roles & REQUESTS == {"way"} and "for" not in roles:  # "buat" is for, and makes
            return self._tip("tip") if asked.have else Understood("other")
        names_dish = claims_dish or asked.has_kind("dish")
        if ((claims_dish or "word" in claimed) and roles & REQUESTS) or (names_dish and roles & {"count", "use"}):
            return self._absent()
        is_done = any(word.kind == "way" for word in asked.words)
        if asked.have and (roles & {"when", "first", "count"} or (is_done and roles & {"or", "good", "not"})):
            return self._tip("tip")
        if names_dish or self._is_bare_name:
            return self._absent()
        if asked.have and (roles & (REQUESTS | {"idea", "have", "good"}) or not asked.has_kind("word")):
            return self._idea()
        return Understood("other")

    # ------------------------------------------------------------------------------------------------------- answers

    def _tip(self, wanted: Wanted) -> Understood:
        return Understood(wanted, tip=self._question.matter)

    def _idea(self) -> Understood:
        have, without = self._question.have, self._question.without
        if len(have) == 1:
            return Understood("inquiry", ingredient=have[0], have=have, without=without)
        return Understood("recommendation", have=have, without=without)

    def _absent(self) -> Understood:
        words, groups = self._question.words, self._question.groups
        with_dish = [run for run in groups if any(words[at].kind == "dish" for at in run)]
        places = sorted(self._question.claimed) or (with_dish or groups)[0]
        return Understood(
            self._wanted(goes_on=False),
            absent=" ".join(dict.fromkeys(words[at].said for at in places)),
            nearest=tuple(it.name for it in self._matches if it.score >= _NEAR)[:_MOST_NEAREST],
            without=self._question.without,
            times=self._question.times,
        )

    def _of(self, dishes: tuple[Dish, ...], goes_on: bool = False) -> Understood:
        asked = self._question
        tip = asked.matter if asked.is_tip else ""
        return Understood(self._wanted(goes_on), dishes, without=asked.without, times=asked.times, tip=tip)

    # --------------------------------------------------------------------------------------------------- what it asks

    @property
    def _wants_idea(self) -> bool:
        """Whether it asks what to cook of an ingredient or several."""
        asked = self._question
        is_list = len(asked.have) > 1 and bool(self._roles & {"have", "also"})
        cooks_what = set() if asked.after("cook") else {"cook"}  # "mau masak, tapi cuma ada telur sama tahu"
        is_at_hand = is_list and {"have", "also"} <= self._roles <= {"have", "also", "how", *cooks_what}
        has_idea = asked.wants_idea and (is_list or not self._dishes)
        return bool(asked.have) and (asked.asks_what_to_cook or has_idea or is_at_hand)

    @property
    def _goes_on(self) -> bool:
        """Whether it may be about a dish that was named before."""
        asked = self._question
        is_of_it = any(word.owned for word in asked.words)
        return bool(self._roles & _GOING_ON or asked.without or asked.times or is_of_it)

    @property
    def _says_instead(self) -> bool:
        """Whether it names what another dish than the one before has: "kalau yang tempe?"."""
        words = self._question.words
        opens = bool(words) and words[0].said in LISTS.instead
        return opens and any(word.names for word in words) and self._roles <= {"recipe"}

    def _instead_of(self, name: str) -> "_Asked":
        """The same of a dish like the one before: "tempe bacem", where that was "tahu bacem"."""
        new = [word for word in self._question.words if word.names]
        kinds = {"food", *(word.kind for word in new)}
        kept = [word for word in words_of_name(name) if kind_of(word) == "dish" or kind_of(word) not in kinds]
        return _Asked(" ".join([*(word.text for word in new), *kept]), self._book)

    @property
    def _is_bare_name(self) -> bool:
        """Whether it is no more than food with words that no list has: "mie celor"."""
        said = [word for word in self._question.words if word.kind != "break"]
        kinds = {word.kind for word in said}
        return len(said) <= _LONGEST_NAME and all(word.names for word in said) and "food" in kinds and len(kinds) > 1

    def _wanted(self, goes_on: bool) -> Wanted:
        """What is wanted of a dish."""
        roles = self._roles
        if self._question.is_tip and not roles & {"recipe", "count"}:
            return "tip"
        if self._is_detail(goes_on):
            return "detail"
        if "steps" in roles:
            wants_both = "ingredients" in roles and not roles & {"not", "ready", "have"}
            return "recipe" if wants_both else "steps"
        if roles >= {"ingredients", "ready"}:
            return "steps"
        if "ingredients" in roles or roles == {"what"} or self._asks_what_is_used:
            wants_both = roles >= {"way", "how"} or ("recipe" in roles and "what" not in roles)
            return "recipe" if wants_both else "ingredients"
        if goes_on and roles & {"way", "make", "cook"} and "recipe" not in roles:
            return "steps"
        return "recipe"

    @property
    def _asks_what_is_used(self) -> bool:
        """Whether it asks what a dish is made of, not whether something is in it: "butuh apa aja"."""
        return self._roles >= {"use", "what"} and not self._question.foods(self._question.after("use"))

    def _is_detail(self, goes_on: bool) -> bool:
        """Whether it asks for one thing in a recipe."""
        asked, roles = self._question, self._roles
        if asked.wants_recipe and not roles & {"use", "have", "count"}:
            return False
        if len(asked.words) > _LONG and roles & REQUESTS:
            return False  # a story around a request
        if roles & _OF_A_DISH or self._asks_of_what_is_done or (goes_on and asked.without):
            return True
        if asked.times is not None and roles & {"measure", "ingredients"} and not asked.wants_recipe:
            return True
        asks = bool(roles & {"not", "or", "answer", "what"}) or "?" in asked.said
        if asks and not asked.wants_recipe and self._speaks_of_ingredients:
            return True
        return asks and bool(asked.foods(asked.after("have"))) and not asked.without

    @property
    def _asks_of_what_is_done(self) -> bool:
        """ "Direndam apa", "dibuang ga"."""
        return any(
            word.kind == "way" and word.text.startswith("di") and following.role in ("what", "not", "or")
            for word, following in pairwise(self._question.words)
        )

    @property
    def _speaks_of_ingredients(self) -> bool:
        """ "Pakai kunyit", "santannya", "teh buat apa", "tepung apa", "ebi di lumpia", "jahe dipakai"."""
        asked, roles = self._question, self._roles
        if asked.after("use") - asked.left_out:
            return True
        if any(word.owned and (word.kind != "word" or not roles & {"ingredients", "steps"}) for word in asked.words):
            return True
        if asked.asks_what_for:
            return True
        named = self._matches[0].said if self._dishes else asked.claimed
        beside = [at for at, word in enumerate(asked.words) if word.kind == "food" and at not in named]
        if beside and roles & {"not", "or"} and not asked.without and not roles & {"have", "use"}:
            return True
        if beside and any(word.role == "use" and word.said.startswith("di") for word in asked.words):
            return True
        return any(at + 1 < len(asked.words) and asked.words[at + 1].role == "what" for at in beside)


def _rank(it: Match) -> tuple[float, int, int, str]:
    return -it.score - _IN_FULL * it.full, -len(it.said), min(it.said, default=0), it.id
