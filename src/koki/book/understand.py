"""What a question asks of the book: which dish, which ingredients, how many portions, and what is wanted of them.

A program's work throughout: the same question to the same book is understood in the same way. The rules are here and in
``question.py`` and ``dish_names.py``, the words in ``understand.toml``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

from koki.book.dish_names import Match, match_name, surplus
from koki.book.pantry import thing
from koki.book.question import LISTS, Word, has_any, kind_of, put_right, read, runs, tokens, words_of_name
from koki.book.reading import Wanted
from koki.book.store import Book
from koki.book.words import load_words
from koki.ingredients.lexicon import LEXICON, fold, match

PORTIONS: Final = 4
"""Portions of a recipe. Few recipes say theirs; home recipes with half a kilo of meat or one chicken are for four."""

_CANDIDATES: Final = 50
_MOST_DISHES: Final = 3
_MOST_NEAREST: Final = 3
# Below this no dish of the book was named. Of the odd lines of tests/book/questions.tsv it is right about most.
_NAMED: Final = 0.6
# Names whose scores differ by less may both be meant.
_UNSURE: Final = 0.12
# Names that fit less than this are not said to be near.
_NEAR: Final = 0.2
# Earlier questions that are looked at for the dish that is spoken of.
_TURNS: Final = 4
# Words of a question that is little more than a name.
_SHORT: Final = 5
# Words of a question that tells a story.
_LONG: Final = 20
# Words of a dish's name that is all of a question.
_LONGEST_NAME: Final = 4
# Of an answer, the words in which it names its dish.
_OPENING: Final = 160

# What words do in a question, by their roles: ask for a recipe or a part of it; stand between that and the dish; ask how
# something is done rather than what to cook; may go on about a dish that was named before.
_REQUESTS: Final = frozenset({"recipe", "way", "make", "cook", "ingredients", "steps"})
_AROUND: Final = _REQUESTS | {"for", "use", "how", "also", "what", "answer"}
_HOW: Final = frozenset({"way", "count", "why", "when", "or", "first"})
_OF_A_DISH: Final = frozenset({"count", "when", "heat", "part", "put", "substitute"})
_GOING_ON: Final = _OF_A_DISH | {"recipe", "ingredients", "steps", "way", "first", "it", "use", "have"}
_DO_WHAT: Final = frozenset({"diapain", "diapakan", "digimanain"})


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
    """Says what is asked.

    Args:
        history: earlier questions with their answers, the oldest first.
    """
    asked = _Asked(question, book)
    wanted = asked.without_dish()
    if wanted:
        return wanted
    if asked.dishes:
        return asked.about(asked.dishes)
    spoken_of = _spoken_of(history, book) if asked.goes_on or asked.says_instead else ()
    if spoken_of and asked.says_instead:
        changed = _Asked(asked.instead_of(spoken_of[0].name), book)
        return changed.about(changed.dishes) if changed.dishes else asked.about_no_dish()
    if spoken_of:
        return asked.about(spoken_of, goes_on=True)
    return asked.about_no_dish()


def _spoken_of(history: Sequence[tuple[str, str]], book: Book) -> tuple[Dish, ...]:
    """The dish that was asked for last, or that the answer named."""
    for question, answer in reversed(history[-_TURNS:]):
        asked = _Asked(question, book)
        if asked.dishes and not asked.wants_idea:
            return asked.dishes
        named = [dish for dish in _Asked(answer[:_OPENING], book).dishes if dish.score == 1]
        if named:
            return tuple(named[:1])
        if asked.dishes:
            return asked.dishes
    return ()


class _Asked:
    """One question, as it is looked at from several sides."""

    def __init__(self, question: str, book: Book) -> None:
        self.question, self._book = question, book
        self.words, self._said = read(question), [put_right(word) for word in tokens(question)]
        self.roles = frozenset(word.role for word in self.words)
        self.without = tuple(dict.fromkeys(self._foods(self._left_out)))
        excluded = self._left_out | self._after("use", "substitute", "like", "except")
        usable = [at for at, word in enumerate(self.words) if word.names and not word.owned and at not in excluded]
        self._claimed = self._find_claimed(usable)
        self._matches = self._find_matches(usable)
        self.dishes = self._find_dishes()

    # -------------------------------------------------------------------------------------------------- the dish

    def _find_matches(self, usable: Sequence[int]) -> list[Match]:
        """The names that have a word of the question, the best first."""
        text = " ".join(dict.fromkeys(self.words[at].text for at in usable))
        if not text:
            return []
        found = (
            match_name(id, name, self.words, usable, self._claimed)
            for id, name in self._book.names_like(text, _CANDIDATES)
        )
        ranked = sorted((it for it in found if it.said), key=_rank)
        return sorted(map(self._without_its_ingredients, ranked[:8]), key=_rank)

    def _without_its_ingredients(self, it: Match) -> Match:
        """The match, where words that the name lacks are ingredients of the dish: "sambal goreng udang pete"."""
        foods = [it.left[start:end] for start, end in _food_spans(it.left)]
        if not foods or it.score < _NEAR:
            return it
        items = self._book.page(it.id).recipe.ingredients
        has = [found for item in items for name in (item.name, *item.others) if name and (found := thing(name))]
        known = 0.0
        for words in foods:
            food = thing(" ".join(word.text for word in words))
            if food and any(food.is_related_to(other) for other in has):
                known += sum(surplus(word) for word in words)
        return it._replace(score=min(1.0, it.weight / (it.weight / it.score - known)))

    def _find_dishes(self) -> tuple[Dish, ...]:
        """The dishes that may be meant: several where it is unsure which."""
        fitting = [it for it in self._matches if it.score >= _NAMED and self._tells(it)]
        if not fitting:
            return ()
        best = fitting[0]
        full = [it for it in fitting if it.full]
        if best.full:
            fitting = [it for it in full if not any(it.said < other.said for other in full)]
        fitting = [it for it in fitting if it.score > best.score - _UNSURE]
        return tuple(Dish(it.id, it.name, it.score) for it in fitting[:_MOST_DISHES])

    def _tells(self, it: Match) -> bool:
        """Whether more than ingredients of the name was said, or all of it."""
        kinds = {self.words[at].kind for at in it.said}
        if it.full or kinds & {"dish", "word"} or kinds >= {"way", "food"}:
            return True
        return kinds == {"place"} and all(word.kind in ("place", "mild") for word in self.words if word.names)

    def _find_claimed(self, usable: Sequence[int]) -> frozenset[int]:
        """The places of the words of which a recipe is asked."""
        groups = [run for run in runs(self.words) if set(run) & set(usable)]
        for place, word in enumerate(self.words):
            if word.role in _REQUESTS:
                after = [run for run in groups if run[0] > place and self._is_near(place, run[0])]
                before = [run for run in groups if run[-1] < place and self._is_near(run[-1], place)]
                if after or before:
                    return frozenset(after[0] if after else before[-1])
        if len(self.words) <= _SHORT and self.roles == {""} and groups:
            return frozenset(groups[0])
        if (
            len(groups) == 1
            and {self.words[at].kind for at in groups[0]} & {"dish", "food", "place"}
            and len(groups[0]) >= len([it for it in self.words if it.kind not in ("chat", "break")]) - 1
        ):
            return frozenset(groups[0])
        return frozenset()

    def _is_near(self, first: int, second: int) -> bool:
        return all(word.kind == "chat" or word.role in _AROUND for word in self.words[first + 1 : second])

    # ------------------------------------------------------------------------------------------------ ingredients

    @property
    def _left_out(self) -> set[int]:
        """The places of what shall not be in it."""
        found = self._after("without")
        for place, word in enumerate(self.words[:-1]):
            if word.role == "not":
                nearby = [at for at in range(place + 1, min(place + 4, len(self.words)))]
                at = next((at for at in nearby if self.words[at].kind != "chat"), -1)
                if at >= 0 and self.words[at].role in ("use", "have", "eat"):
                    found |= self._scope(at)
        return found

    def _after(self, *roles: str) -> set[int]:
        """The places of the names that stand right after a word with one of these roles."""
        return {at for place, word in enumerate(self.words) if word.role in roles for at in self._scope(place)}

    def _scope(self, place: int) -> set[int]:
        found: set[int] = set()
        for at in range(place + 1, len(self.words)):
            word = self.words[at]
            if word.names:
                found.add(at)
            elif not (word.role in ("also", "or") or word.said == "," or (word.kind == "chat" and not found)):
                break
        return found

    def _foods(self, places: Iterable[int]) -> Iterator[str]:
        """The ingredients in these places, as they were typed."""
        for run in _joined(sorted(places)):
            for start, end in _food_spans([self.words[place] for place in run]):
                yield _as_said([self.words[place] for place in run[start:end]])

    @property
    def have(self) -> tuple[str, ...]:
        """The ingredients that are named, but for those that shall not be in it."""
        excluded = self._left_out | self._after("except", "like")
        places = [at for at, word in enumerate(self.words) if word.names and at not in excluded]
        return tuple(dict.fromkeys(self._foods(places)))

    @property
    def matter(self) -> str:
        """The words that are not about asking, as they were typed and as recipes have them."""
        texts = (text for word in self.words if word.names for text in (word.said, word.text))
        return " ".join(dict.fromkeys(texts)) or self.question

    # ---------------------------------------------------------------------------------------------------- portions

    @property
    def times(self) -> Fraction | None:
        """What the amounts are multiplied by."""
        if "double" in self.roles:
            return Fraction(2)
        if "half" in self.roles:
            return Fraction(1, 2)
        for word, following in zip(self.words, self.words[1:], strict=False):
            number = _number(word)
            if number and following.role == "portions":
                return number / PORTIONS
            if number and following.role in ("times", "recipe") and number != 1:
                return number
            if word.role == "times" and _number(following):
                return _number(following)
        return None

    # ------------------------------------------------------------------------------------------------ what is wanted

    def without_dish(self) -> Understood | None:
        """What is wanted, where a dish's name does not matter."""
        if self._is_harm():
            return Understood("harm", tip=self.matter)
        if self.have and self._asks_what_to_cook():
            return self._idea()
        is_foreign = "foreign" in self.roles or ("where" in self.roles and not self._is_kitchen())
        if is_foreign and not (self.dishes and self.roles & _REQUESTS):
            return Understood("other")
        return None

    def about(self, dishes: tuple[Dish, ...], goes_on: bool = False) -> Understood:
        """What is wanted of a dish."""
        return Understood(
            self._wanted(goes_on),
            dishes,
            without=self.without,
            times=self.times,
            tip=self.matter if self._is_tip() else "",
        )

    def about_no_dish(self) -> Understood:
        """What is wanted, where no dish of the book is named."""
        have = self.have
        if self._is_tip() or (self._is_kitchen() and self.roles & {"how", "way", "answer", "count", "when"}):
            return Understood("tip", tip=self.matter)
        claimed = {self.words[at].kind for at in self._claimed}
        is_dish = "dish" in claimed or claimed >= {"food", "way"}
        if not is_dish and "way" in self.roles and not self.roles & _REQUESTS - {"way"}:
            return Understood("tip", tip=self.matter) if have else Understood("other")
        names_dish = is_dish or any(word.kind == "dish" and not word.owned for word in self.words)
        if ((is_dish or "word" in claimed) and self.roles & _REQUESTS) or (
            names_dish and self.roles & {"count", "use"}
        ):
            return self._absent()
        if have and (self.roles & {"when", "first", "count"} or (self.roles & {"or", "good"} and self._is_done())):
            return Understood("tip", tip=self.matter)
        if names_dish or self._is_bare_name():
            return self._absent()
        if have and (
            self.roles & (_REQUESTS | {"idea", "have", "good"}) or not any(it.kind == "word" for it in self.words)
        ):
            return self._idea()
        return Understood("other")

    def _is_bare_name(self) -> bool:
        """Whether it is no more than food with words that no list has: "mie celor"."""
        said = [word for word in self.words if word.kind != "break"]
        kinds = {word.kind for word in said if word.names}
        return (
            len(said) <= _LONGEST_NAME
            and all(word.names for word in said)
            and kinds > {"food"}
            and bool(kinds & {"word", "place"})
        )

    def _is_done(self) -> bool:
        """Whether something is done to a food: "direbus"."""
        return any(word.kind == "way" for word in self.words)

    def _absent(self) -> Understood:
        groups = list(runs(self.words))
        dishes = [run for run in groups if any(self.words[at].kind == "dish" for at in run)]
        places = self._claimed or (dishes or groups)[0]
        name = " ".join(dict.fromkeys(self.words[at].said for at in sorted(places)))
        near = tuple(it.name for it in self._matches if it.score >= _NEAR)[:_MOST_NEAREST]
        return Understood(self._wanted(False), absent=name, nearest=near, without=self.without, times=self.times)

    def _idea(self) -> Understood:
        have = self.have
        if len(have) == 1:
            return Understood("inquiry", ingredient=have[0], have=have, without=self.without)
        return Understood("recommendation", have=have, without=self.without)

    @property
    def wants_idea(self) -> bool:
        """Whether it asks what to cook rather than how."""
        return bool(self.have) and self._asks_what_to_cook()

    @property
    def goes_on(self) -> bool:
        """Whether it may speak of a dish that was named before."""
        is_of_it = any(word.owned for word in self.words)
        return bool(self.roles & _GOING_ON or self.without or self.times or is_of_it) and not any(
            self.words[at].kind in ("dish", "word") for at in self._claimed
        )

    @property
    def says_instead(self) -> bool:
        """Whether it names what another dish than the one before has: "kalau yang tempe?"."""
        opens = any(word.said in LISTS.instead for word in self.words[:1])
        return opens and any(word.names for word in self.words) and not self.roles - {"", "recipe"}

    def instead_of(self, name: str) -> str:
        """The name of a dish with the words of this question for those of their kinds: "tempe bacem" for "tahu bacem"."""
        new = [word for word in self.words if word.names]
        kinds = {word.kind for word in new}
        kept = [
            word for word in words_of_name(name) if kind_of(word) == "dish" or kind_of(word) not in kinds | {"food"}
        ]
        return " ".join([*(word.text for word in new), *kept])

    def _wanted(self, goes_on: bool) -> Wanted:
        roles = self.roles
        if self._is_tip() and "recipe" not in roles and not roles & {"count"}:
            return "tip"
        if self._is_detail(goes_on):
            return "detail"
        if "steps" in roles:
            return "recipe" if "ingredients" in roles and not roles & {"not", "ready", "have"} else "steps"
        if roles >= {"ingredients", "ready"}:
            return "steps"
        if "ingredients" in roles or self._uses_what() or (roles <= {"", "what"} and "what" in roles):
            return (
                "recipe"
                if ("recipe" in roles and "what" not in roles) or ("way" in roles and "how" in roles)
                else "ingredients"
            )
        if goes_on and roles & {"way", "make", "cook"} and "recipe" not in roles:
            return "steps"
        return "recipe"

    def _is_detail(self, goes_on: bool) -> bool:
        roles = self.roles
        if "recipe" in roles and "use" not in roles and "have" not in roles and "count" not in roles:
            return False
        if len(self.words) > _LONG and roles & {"recipe", "way", "ingredients", "steps"}:
            return False  # a story around a request
        if roles & _OF_A_DISH:
            return True
        if "first" in roles or self._is_done_how() or (goes_on and self.without):
            return True
        asks = bool(roles & {"not", "or", "answer", "what"})
        if (asks or "?" in self._said) and "recipe" not in roles and self._foods_of_it():
            return True
        return asks and any(True for _ in self._foods(self._after("have"))) and not self.without

    def _is_done_how(self) -> bool:
        """Whether it asks of something that is done: "direndam apa", "dibuang ga"."""
        return any(
            word.kind == "way" and word.text.startswith("di") and following.role in ("what", "not", "or")
            for word, following in zip(self.words, self.words[1:], strict=False)
        )

    def _foods_of_it(self) -> bool:
        """Whether an ingredient of the dish is spoken of: "pakai kunyit", "santannya", "tepung apa"."""
        if self._after("use") - self._left_out:
            return True
        if any(
            word.owned and (word.kind != "word" or not self.roles & {"ingredients", "steps"}) for word in self.words
        ):
            return True
        named = self._matches[0].said if self.dishes else self._claimed
        pairs = list(zip(self.words, self.words[1:], strict=False))
        if any(word.role == "for" and following.role == "what" for word, following in pairs):
            return True
        beside = [at for at, word in enumerate(self.words) if word.kind == "food" and at not in named]
        apart = beside and self.roles & {"not", "or"} and not self.without and not self.roles & {"have", "use"}
        return bool(apart) or any(self.words[at + 1].role == "what" for at in beside if at + 1 < len(self.words))

    def _uses_what(self) -> bool:
        """ "Butuh apa aja": what it is made of, not whether something is in it."""
        return "use" in self.roles and "what" in self.roles and not any(True for _ in self._foods(self._after("use")))

    def _asks_what_to_cook(self) -> bool:
        if any(word.said in _DO_WHAT for word in self.words) and "so" not in self.roles:
            return True
        for gap in self._gaps():
            roles = {word.role for word in gap} | {
                "make" for word in gap if word.said == "buat" and "answer" in self.roles
            }
            if roles & {"recipe", "ingredients", "steps", "use", "way", "count"}:
                continue
            if "what" in roles and roles & {"cook", "make", "become", "idea"}:
                return True
        several = len(self.have) > 1 and bool(self.roles & {"have", "also"})
        return bool(self.roles & {"idea", "good"}) and (several or not self.dishes) and not self.roles & _HOW

    def _gaps(self) -> Iterator[list[Word]]:
        """The words between names."""
        gap: list[Word] = []
        for word in self.words:
            if word.names and word.kind != "mild":
                yield gap
                gap = []
            else:
                gap.append(word)
        yield gap

    def _is_tip(self) -> bool:
        """Whether it asks why or how something turns out well, or tells what went wrong."""
        if not (self.have or self._is_kitchen() or any(word.kind == "dish" for word in self.words)):
            return False
        if has_any(self._said, LISTS.about["trouble"]) and not self.roles & (_REQUESTS - {"way", "cook"}):
            return True
        well = "so" in self.roles and ("how" in self.roles or self._is_kitchen())
        is_request = self.roles >= {"way", "make"} and not self._is_kitchen()
        return bool(self.roles & {"why", "trick"}) or (well and not is_request)

    def _is_kitchen(self) -> bool:
        return has_any(self._said, LISTS.about["kitchen"]) or has_any(self._said, LISTS.about["trouble"])

    def _is_harm(self) -> bool:
        if has_any(self._said, LISTS.about["always"]):
            return True
        stood = any(
            number[0].isdigit() and span in LISTS.about["long"]
            for number, span in zip(self._said, self._said[1:], strict=False)
        )
        if self.have and has_any(self._said, LISTS.about["safe"]):
            return True
        return (stood or has_any(self._said, LISTS.about["state"])) and has_any(self._said, LISTS.about["asked"])


def _rank(it: Match) -> tuple[float, float, int, str]:
    return -it.score, -len(it.said), min(it.said, default=0), it.id


def _joined(places: Sequence[int]) -> Iterator[list[int]]:
    """Runs of places that follow each other."""
    run: list[int] = []
    for place in places:
        if run and place != run[-1] + 1:
            yield run
            run = []
        run.append(place)
    if run:
        yield run


def _as_said(words: Sequence[Word]) -> str:
    """As it was typed; put right where that is a slip or a word that no recipe has."""
    said = " ".join(dict.fromkeys(word.said for word in words))
    text = " ".join(word.text for word in words)
    return said if fold(said) == fold(text) else text


def _food_spans(words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """Where the ingredients stand among words without anything between: "paha ayam fillet", "tahu", "cabai merah"."""
    texts, at = [word.text for word in words], 0
    kinds = load_words().kitchen.kinds
    while at < len(texts):
        size = match(LISTS.foods, texts, at)[0]
        end = at + size
        while size and end < len(texts):
            of = match(LISTS.foods, texts, end)[0] if texts[end - 1] in LISTS.pieces else 0
            if not of and not (texts[end] in kinds | LISTS.pieces or words[end].kind == "trait"):
                break
            end += of or 1
        if size and not (size == 1 and words[at].kind == "mild"):
            yield at, end
        at = max(end, at + 1)


def _number(word: Word) -> Fraction | None:
    if word.kind == "number":
        return Fraction(word.said.replace(",", ".")) or None
    return Fraction(LEXICON.numbers[word.said]) if word.said in LEXICON.numbers else None
