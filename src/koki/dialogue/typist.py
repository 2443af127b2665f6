"""Questions as people type them on a phone: small letters, no question mark, the bare dish, abbreviations, slips.

What is typed stands for one question alone, so no question is taught two answers. A short form of a question belongs to
the questions that share its answer. A word is changed at most once, and only into what no other word is or could be
changed into: an abbreviation is no word of any question, and a slip has one word alone that is one letter away.
"""

import random
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Final

from koki.dialogue.compose import ANSWER_WORDINGS
from koki.dialogue.forms import trained
from koki.dialogue.phrasebook import Phrasebook, Question
from koki.dialogue.vocabulary import WORD, Vocabulary

# A shorter word is another with one letter changed.
_FEWEST_LETTERS: Final = 3
_TRIES: Final = 8

# How often each happens to a question that is typed on a phone; counted nowhere, but none is rare.
_SHORT: Final = 0.8
_SMALL_LETTERS: Final = 0.7
_NO_MARK: Final = 0.75
_INSTEAD: Final = 0.3
# Of no, one and two slips.
_SLIPS: Final = (0.5, 0.4, 0.1)
# The names of dishes and ingredients are typed more seldom than the words around them.
_NAMES: Final = 4


class Typist:
    """Types questions anew; each is a pure function of the question and of what is drawn for it.

    Args:
        book: has the forms of the questions, and short ones.
        vocabulary: what all questions are made of.
    """

    def __init__(self, book: Phrasebook, vocabulary: Vocabulary) -> None:
        self._short = _short_forms(book)
        self._words, self._ingredients, self._common = vocabulary
        self._instead = {
            word: [short for short in shorts if short not in self._words] for word, shorts in _instead().items()
        }
        written = {short: word for word, shorts in self._instead.items() for short in shorts}
        written |= {word: word for word in self._words}
        # what is left of a word without one letter -> the words that it may be left of
        self._near: defaultdict[str, set[str]] = defaultdict(set)
        for letters, word in written.items():
            for rest in _without_one_letter(letters):
                self._near[rest].add(word)

    def type(self, question: str, draw: random.Random) -> str:
        """The question as somebody types it."""
        if draw.random() < _SHORT:
            question = self._shortened(question, draw)
        if draw.random() < _SMALL_LETTERS:
            question = question.lower()
        if draw.random() < _NO_MARK:
            question = question.rstrip("?!. ")
        words = list(WORD.finditer(question))
        slip_at = self._places_of_slips([word[0] for word in words], draw)
        typed = (
            self._slipped(word[0], draw) if place in slip_at else self._abbreviated(word[0], draw)
            for place, word in enumerate(words)
        )
        return _put_together(question, words, typed)

    def _shortened(self, question: str, draw: random.Random) -> str:
        for (before, after), shorts in self._short:
            if question.startswith(before) and question.endswith(after):
                subject = question[len(before) : len(question) - len(after)]
                # who types no more than the name of an ingredient means that, though a dish may have its name
                fitting = [it for it in shorts if subject.lower() not in self._ingredients or any(_around(it))]
                return _filled(draw.choice(fitting), subject) if fitting else question
        return question

    def _abbreviated(self, word: str, draw: random.Random) -> str:
        if draw.random() >= _INSTEAD:
            return word
        first, hyphen, second = word.partition("-")
        if hyphen and first.lower() == second and f"{second}2" not in self._words:
            return f"{first}2"
        shorts = self._instead.get(word.lower())
        return draw.choice(shorts) if shorts else word

    def _places_of_slips(self, words: Sequence[str], draw: random.Random) -> set[int]:
        """The words in which somebody slips, up to two: the longer, and the more seldom typed, the more likely."""
        weights = [self._weight(word.lower()) for word in words]
        (count,) = draw.choices(range(len(_SLIPS)), _SLIPS)
        return set(draw.choices(range(len(words)), weights, k=count)) if any(weights) else set()

    def _weight(self, word: str) -> int:
        if len(word) < _FEWEST_LETTERS or word not in self._words:
            return 0
        return len(word) * (1 if word in self._common else _NAMES)

    def _slipped(self, word: str, draw: random.Random) -> str:
        """The word with a letter dropped, doubled, swapped with the next, or the one on the key beside.

        As it is, where nothing that was tried stands for this word alone.
        """
        for _ in range(_TRIES):
            place = draw.randrange(len(word))
            slip = draw.choice(_WAYS)(word, place, draw)
            if slip.lower() != word.lower() and self._stands_for(slip.lower()) == {word.lower()}:
                return slip
        return word

    def _stands_for(self, slip: str) -> set[str]:
        """The words that a slip may be read as."""
        return set().union(*(self._near.get(rest, ()) for rest in _without_one_letter(slip)))


def _dropped(word: str, place: int, _: random.Random) -> str:
    return word[:place] + word[place + 1 :]


def _doubled(word: str, place: int, _: random.Random) -> str:
    return word[:place] + word[place] + word[place:]


def _swapped(word: str, place: int, _: random.Random) -> str:
    return word[:place] + word[place : place + 2][::-1] + word[place + 2 :]


def _missed(word: str, place: int, draw: random.Random) -> str:
    return word[:place] + draw.choice(_beside().get(word[place], word[place])) + word[place + 1 :]


_WAYS: Final = (_dropped, _doubled, _swapped, _missed)


def _short_forms(book: Phrasebook) -> list[tuple[tuple[str, str], Sequence[str]]]:
    """What stands around the subject in each form, and the short forms with its answer; the longest forms first."""
    forms: list[tuple[Question, Sequence[str]]] = [(form, book.short.inquiry) for form in trained(book.inquiry)]
    for questions in (book.standard, book.simple):
        for number, form in enumerate(trained(questions)):
            shorts = book.short.requested(form.answers)[number % ANSWER_WORDINGS]
            forms.append((form, () if form.tip else shorts))
    forms.sort(key=lambda form: -len(form[0].question))
    return [(_around(form.question), shorts) for form, shorts in forms if shorts]


def _around(form: str) -> tuple[str, str]:
    before, _, rest = form.partition("{")
    return before, rest.partition("}")[2]


def _filled(form: str, subject: str) -> str:
    before, after = _around(form)
    return f"{before}{subject}{after}"


def _without_one_letter(word: str) -> Iterator[str]:
    """The word, and what is left of it without each letter: words one slip apart have one of these in common."""
    yield word
    yield from (word[:place] + word[place + 1 :] for place in range(len(word)))


def _put_together(text: str, places: Sequence[re.Match[str]], words: Iterable[str]) -> str:
    """The text with other words in those places."""
    ends = [0, *(place.end() for place in places)]
    between = (text[end : place.start()] for end, place in zip(ends, places, strict=False))
    return "".join(part for pair in zip(between, words, strict=True) for part in pair) + text[ends[-1] :]


@cache
def _instead() -> dict[str, list[str]]:
    return {word: shorts.split(", ") for word, shorts in _toml()["instead"].items()}


@cache
def _beside() -> dict[str, str]:
    """Key -> those on its left and right."""
    beside: defaultdict[str, str] = defaultdict(str)
    for row in _toml()["keys"]:
        for left, right in pairwise(row):
            beside[left] += right
            beside[right] += left
    return beside


@cache
def _toml() -> dict[str, dict[str, str]]:
    return tomllib.loads((resources.files("koki.dialogue") / "typist.toml").read_text("utf-8"))
