"""A question, word by word: what each word does in it or names, and what follows of it without a book."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from koki.book.wordlists import LISTS, OF_IT, WEIGHTS, Kind, has_any, kind_of, put_right, stem_of, tokens, weight_of
from koki.book.words import load_words
from koki.ingredients.lexicon import LEXICON, fold, match, role_of

# Portions of a recipe. Few recipes say theirs; home recipes with half a kilo of meat or one chicken are for four.
PORTIONS: Final = 4

REQUESTS: Final = frozenset({"recipe", "way", "make", "cook", "ingredients", "steps"})
"""Roles of words that ask for a recipe or a part of it."""

# Roles of words that may stand between such a word and the dish.
_AROUND: Final = REQUESTS | {"for", "use", "how", "also", "what", "answer"}
# Roles by which it is asked how something is done, rather than what to cook.
_HOW: Final = frozenset({"way", "count", "why", "when", "or", "first"})
# Roles that say what is asked of ingredients, so that "apa" beside them does not ask for a dish.
_OF_INGREDIENTS: Final = frozenset({"recipe", "ingredients", "steps", "use", "way", "count"})
_DO_WHAT: Final = frozenset({"diapain", "diapakan", "digimanain"})
_LARGEST: Final = 10_000
# Words of a question that is little more than a name.
_SHORT: Final = 5
# Words after "tidak" among which "pakai" is looked for: "ga usah lah pakai santan".
_NOT_FAR: Final = 4


class Word(NamedTuple):
    """A word of a question, or several that stand for one.

    Attributes:
        said: as it was typed, in small letters.
        text: put right and folded; of a word with a role the same as ``said``.
        kind: what it is.
        role: what it does in the question ("recipe", "count", "not", ...); empty for a word that names something.
        owned: it is something of what is spoken about: "santannya".
    """

    said: str
    text: str
    kind: Kind
    role: str = ""
    owned: bool = False

    @property
    def names(self) -> bool:
        """Whether it may be part of a name."""
        return self.kind in WEIGHTS

    @property
    def weight(self) -> float:
        """What it says of a dish whose name has it."""
        return weight_of(self.text)

    @property
    def is_done(self) -> bool:
        """Whether it is something that is done to food, but no part of a name: "direbus"."""
        return self.kind == "way" and kind_of(self.text) == "word"


@lru_cache(maxsize=1024)
def read(text: str) -> tuple[Word, ...]:
    """The words of a question, in order."""
    said, words, at = tokens(text), list[Word](), 0
    right = list(map(put_right, said))
    while at < len(said):
        size, meaning = match(LISTS.phrases, right, at)
        raw = " ".join(said[at : at + (size or 1)])
        what, _, value = meaning.partition(":")
        if what == "role":
            words.append(Word(raw, raw, "", value))
        elif what == "name":
            words += (Word(raw, word, kind_of(word)) for word in fold(value).split())
        elif what == "chat":
            words.append(Word(raw, raw, "chat"))
        else:
            words += _named(raw, right[at], bool(words) and words[-1].names)
        at += size or 1
    return tuple(words)


def _named(said: str, word: str, after_name: bool) -> Iterator[Word]:
    if not word[0].isalnum():
        yield Word(said, word, "break")
    elif word[0].isdecimal():
        yield Word(said, word, "number")
    elif stem := stem_of(word):
        is_of_it = word.removeprefix(stem) in OF_IT
        for part in fold(stem).split():
            ends_name = after_name and kind_of(part) == "dish"  # "telur baladonya"
            yield Word(said, part, kind_of(part), owned=is_of_it and not ends_name)
    else:
        for part in (fold(word) or word).split():
            kind = kind_of(part)
            yield Word(said, part, "way" if kind == "word" and role_of(part) == "verb" else kind)


class Question:
    """What a question says, whatever is in the book.

    Attributes:
        words: its words, in order.
        said: they again, put right.
        roles: the roles that they have.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = read(text)
        self.said = [put_right(word) for word in tokens(text)]
        self.roles = frozenset(word.role for word in self.words if word.role)

    def has_about(self, *lists: str) -> bool:
        """Whether it has a phrase of one of these lists (kitchen, trouble, ...)."""
        return any(has_any(self.said, LISTS.about[key]) for key in lists)

    def has_kind(self, kind: Kind) -> bool:
        """Whether it names something of this kind."""
        return any(word.kind == kind and not word.owned for word in self.words)

    @cached_property
    def matter(self) -> str:
        """The words that are not about asking, as they were typed and as recipes have them."""
        texts = (text for word in self.words if word.names for text in (word.said, word.text))
        return " ".join(dict.fromkeys(texts)) or self.text

    # ---------------------------------------------------------------------------------------------------- ingredients

    @cached_property
    def have(self) -> tuple[str, ...]:
        """The ingredients that are named, but for those that shall not be in it."""
        excluded = self.left_out | self.after("except", "like")
        return self.foods(at for at, word in enumerate(self.words) if word.names and at not in excluded)

    @cached_property
    def without(self) -> tuple[str, ...]:
        """The ingredients that shall not be in it."""
        return self.foods(self.left_out)

    @cached_property
    def left_out(self) -> frozenset[int]:
        """The places of what shall not be in it: after "tanpa", "ga pakai", "ga ada"."""
        found = set(self.after("without"))
        for place, word in enumerate(self.words):
            if word.role == "not":
                near = range(place + 1, min(place + _NOT_FAR, len(self.words)))
                following = next((at for at in near if self.words[at].kind != "chat"), place)
                if self.words[following].role in ("use", "have", "eat"):
                    found |= self._scope(following)
        return frozenset(found)

    def after(self, *roles: str) -> frozenset[int]:
        """The places of the names that stand right after a word with one of these roles."""
        places = (place for place, word in enumerate(self.words) if word.role in roles)
        return frozenset(at for place in places for at in self._scope(place))

    def _scope(self, place: int) -> set[int]:
        found: set[int] = set()
        for at in range(place + 1, len(self.words)):
            word = self.words[at]
            if word.names:
                found.add(at)
            elif word.said in LISTS.within or not self._leads_on(word, bool(found)):
                break
        return found

    @staticmethod
    def _leads_on(word: Word, after_name: bool) -> bool:
        return word.role in ("also", "or") or word.said == "," or (word.kind == "chat" and not after_name)

    def foods(self, places: Iterable[int]) -> tuple[str, ...]:
        """The ingredients in these places, each once: as they were typed or, where that is a slip, put right."""
        found = []
        for run in runs_of(sorted(places)):
            words = [self.words[place] for place in run]
            found += [_as_said(words[start:end]) for start, end in food_spans(words)]
        return tuple(dict.fromkeys(found))

    # ------------------------------------------------------------------------------------------------------- portions

    @cached_property
    def times(self) -> Fraction | None:
        """What the amounts are multiplied by; None where nothing is said of it."""
        if "double" in self.roles:
            return Fraction(2)
        if "half" in self.roles:
            return Fraction(1, 2)
        for word, following in pairwise(self.words):
            number = _number(word)
            if number and following.role == "portions":
                return number / PORTIONS
            if number and number != 1 and following.role in ("times", "recipe"):
                return number
            if word.role == "times" and _number(following):
                return _number(following)
        return None

    # ------------------------------------------------------------------------------------------------- what is asked of

    @cached_property
    def wants_recipe(self) -> bool:
        """Whether it asks for a recipe, not for something in one or for so many: "di resep opor", "2 resep"."""
        opens = bool(self.words) and self.words[0].role == "recipe"
        return opens or any(
            word.role == "recipe" and before.said not in LISTS.within and _number(before) is None
            for before, word in pairwise(self.words)
        )

    @cached_property
    def usable(self) -> tuple[int, ...]:
        """The places of the words that may be a dish's name: not "santan" in "opor pakai santan", nor "santannya".

        Where nothing else is named, what is used may be: "perlu rendang".
        """
        excluded, used = self.left_out | self.after("substitute", "like", "except"), self.after("use")
        named = (at for at, word in enumerate(self.words) if word.names and not word.owned)
        places = tuple(at for at in named if at not in excluded)
        return tuple(at for at in places if at not in used) or places

    @cached_property
    def claimed(self) -> frozenset[int]:
        """The places of the words of which a recipe is asked: beside "resep" or "cara bikin", or all there is."""
        groups = [run for run in self.groups if not set(run).isdisjoint(self.usable)]
        for place, word in enumerate(self.words):
            if word.role in REQUESTS:
                after = [run for run in groups if run[0] > place and self._is_near(place, run[0])]
                before = [run for run in groups if run[-1] < place and self._is_near(run[-1], place)]
                if after or before:
                    return frozenset(after[0] if after else before[-1])
        if groups and not self.roles and len(self.words) <= _SHORT:
            return frozenset(groups[0])
        if len(groups) == 1:
            telling = {self.words[at].kind for at in groups[0]} & {"dish", "food", "place"}
            others = [word for word in self.words if word.kind not in ("chat", "break")]
            if telling and len(groups[0]) >= len(others) - 1:
                return frozenset(groups[0])
        return frozenset()

    @cached_property
    def groups(self) -> list[list[int]]:
        """The places of names that stand side by side, in order."""
        return list(runs_of([at for at, word in enumerate(self.words) if word.names and not word.owned]))

    def _is_near(self, first: int, second: int) -> bool:
        return all(word.kind == "chat" or word.role in _AROUND for word in self.words[first + 1 : second])

    # ------------------------------------------------------------------------------------------------- what it is about

    @cached_property
    def is_harm(self) -> bool:
        """Whether it is about something that may harm."""
        if self.has_about("always") or (self.have and self.has_about("safe")):
            return True
        long = LISTS.about["long"]
        stood = any(number[0].isdecimal() and span in long for number, span in pairwise(self.said))
        return (stood or self.has_about("state")) and self.has_about("asked")

    @cached_property
    def is_foreign(self) -> bool:
        """Whether a chef is asked in vain, if nothing else is asked."""
        return "foreign" in self.roles or ("where" in self.roles and not self.is_kitchen)

    @cached_property
    def is_kitchen(self) -> bool:
        """Whether it speaks of techniques, tools and troubles of a kitchen."""
        return self.has_about("kitchen", "trouble")

    @cached_property
    def is_tip(self) -> bool:
        """Whether it asks why or how something turns out well, or tells what went wrong."""
        if not (self.have or self.is_kitchen or any(word.kind == "dish" for word in self.words)):
            return False
        if self.has_about("trouble") and not self.roles & (REQUESTS - {"way", "cook"}):
            return True
        in_kitchen = LISTS.about["kitchen"]
        if any(word.role == "not" and it.said in in_kitchen for word, it in pairwise(self.words)):  # "ga mekar"
            return True
        turns_out_well = "so" in self.roles and (self.roles & {"how", "way"} or self.is_kitchen)
        is_request = self.roles >= {"way", "make"} and not self.is_kitchen
        return bool(self.roles & {"why", "trick"}) or (bool(turns_out_well) and not is_request)

    @cached_property
    def asks_what_to_cook(self) -> bool:
        """Whether it asks for a dish in so many words: "dimasak apa", "bisa jadi apa", "diapain"."""
        if "so" not in self.roles and any(word.said in _DO_WHAT for word in self.words):
            return True
        for gap in self._gaps():
            roles = {"make" if word.said == "buat" and "answer" in self.roles else word.role for word in gap}
            if "what" in roles and roles & {"cook", "make", "become", "idea"} and not roles & _OF_INGREDIENTS:
                return True
        return False

    @cached_property
    def asks_what_for(self) -> bool:
        """Whether it asks what something is good for: "tehnya buat apa"."""
        return any((word.role, following.role) == ("for", "what") for word, following in pairwise(self.words))

    @cached_property
    def wants_idea(self) -> bool:
        """Whether it asks for ideas, which a dish that is named may be one of: "ada saran menu?", "enaknya"."""
        return bool(self.roles & {"idea", "good"}) and not self.roles & _HOW

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


def runs_of(places: Sequence[int]) -> Iterator[list[int]]:
    """Runs of places that follow each other."""
    run: list[int] = []
    for place in places:
        if run and place != run[-1] + 1:
            yield run
            run = []
        run.append(place)
    if run:
        yield run


def food_spans(words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """Where the ingredients stand among words without anything between: "paha ayam fillet", "tahu", "cabai merah"."""
    texts, at = [word.text for word in words], 0
    narrowing = load_words().kitchen.kinds | LISTS.pieces
    while at < len(texts):
        size, _ = match(LISTS.foods, texts, at)
        end = at + size
        while size and end < len(texts):
            of = match(LISTS.foods, texts, end)[0] if texts[end - 1] in LISTS.pieces else 0
            if not of and texts[end] not in narrowing and words[end].kind != "trait":
                break
            end += of or 1
        if size and not (size == 1 and words[at].kind == "mild"):
            yield at, end
        at = max(end, at + 1)


def _as_said(words: Sequence[Word]) -> str:
    """As it was typed; put right where that is a slip or a word that no recipe has."""
    said = " ".join(dict.fromkeys(word.said for word in words))
    text = " ".join(word.text for word in words)
    return said if fold(said) == fold(text) else text


def _number(word: Word) -> Fraction | None:
    """The number that a word is: more than nothing, and no more than somebody cooks for; else None."""
    number: float | Fraction | None = LEXICON.numbers.get(word.said)
    if word.kind == "number":
        try:
            number = Fraction(word.said.replace(",", "."))
        except (ValueError, ZeroDivisionError):  # as many digits as Python reads no number of, or "1/0"
            return None
    return Fraction(number) if number and number <= _LARGEST else None
