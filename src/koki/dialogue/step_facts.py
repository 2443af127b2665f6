"""What the steps of a recipe say of times, of heat and of when something is used."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple

from koki.book.kitchen import kitchen_name
from koki.book.pantry import Thing, thing
from koki.dialogue.detail_words import DetailWords, DurationWords, HeatWords
from koki.ingredients.lexicon import fold, is_known

_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")
_WORD: Final = re.compile(r"[^\W_]+(?:-[^\W_]+)*|[,;:()]")
_SIGNS: Final = frozenset(",;:()")
_FIGURES: Final = r"(?:[0-9]+\s?[¼-¾⅐-⅞]|[¼-¾⅐-⅞]|[0-9]+(?:[.,/][0-9]+)?)"
# In words: the name of what is cooked.
_LONGEST_NAME: Final = 3


class Doing(NamedTuple):
    """Something that a step says to do.

    Attributes:
        done: what, as it is asked for: "direbus".
        to: the ingredient that it is done to, as the step writes it; empty where the step names none.
        text: of the step, from what to do to the end of what is said of it.
        time: how long, in the step's words; None where it says nothing or several things.
        heat: the same of the fire.
    """

    done: str
    to: str
    text: str
    time: str | None
    heat: str | None


def doings(steps: Sequence[str], things: Sequence[Thing], words: DetailWords) -> list[Doing]:
    """What the steps say to do, in order.

    Args:
        things: the ingredients of the recipe.
    """
    sentences = (sentence for step in steps for sentence in _SENTENCE_END.split(step))
    return [doing for sentence in sentences for doing in _doings_of(sentence, things, words)]


def _doings_of(sentence: str, things: Sequence[Thing], words: DetailWords) -> Iterator[Doing]:
    tokens = list(_WORD.finditer(sentence))
    said = [token[0].lower() for token in tokens]
    leading = words.steps.leading.split()
    for at, word in enumerate(said):
        done = _done_by(tuple(words.done.items())).get(word)
        if done and (at == 0 or said[at - 1] in _SIGNS or said[at - 1] in leading):
            end = _end_of(said, at, words)
            text = sentence[tokens[at].start() : tokens[end - 1].end()]
            to = _named(said[at + 1 : end], things)
            yield Doing(done, to, text, _time(text, words.durations), _heat(text, words.heat))


@cache
def _done_by(done: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {form.strip(): name for name, forms in done for form in forms.split(",")}


def _end_of(said: Sequence[str], at: int, words: DetailWords) -> int:
    """Where something else begins than what is said of the thing done at ``at``; a list of foods goes on."""
    ends, also = words.steps.ends.split(), (words.steps.also, ",")
    for end in range(at + 1, len(said)):
        if said[end] in ends or (said[end] in _SIGNS and said[end] not in also):
            return end
        if said[end] in also and end + 1 < len(said) and said[end + 1] not in also and not is_known(said[end + 1]):
            return end if said[end - 1] not in also else end - 1
    return len(said) - (said[-1] in _SIGNS)


def _named(said: Sequence[str], things: Sequence[Thing]) -> str:
    """The ingredient that words begin with."""
    for size in range(min(_LONGEST_NAME, len(said)), 0, -1):
        name = " ".join(said[:size])
        it = thing(name)
        if it and kitchen_name(name) == name and any(map(it.is_related_to, things)):
            return name
    return ""


def _time(text: str, words: DurationWords) -> str | None:
    return _only(_times(words), text)


@cache
def _times(words: DurationWords) -> re.Pattern[str]:
    number = rf"(?:{_FIGURES}|{'|'.join(words.numbers)})"
    several = rf"{number}(?:\s?(?:[-–]|{'|'.join(words.to)})\s?{number})?"
    return re.compile(
        rf"\b(?:(?:{'|'.join(words.before)})\s)?(?:(?<![0-9]){several}\s?(?:{'|'.join(words.units)})"
        rf"|{'|'.join(words.whole)})\b",
        re.IGNORECASE,
    )


def _heat(text: str, words: HeatWords) -> str | None:
    return _only(_heats(words), text)


@cache
def _heats(words: HeatWords) -> re.Pattern[str]:
    level = "|".join(words.levels)
    return re.compile(
        rf"\bapi\s(?:(?:{'|'.join(words.before)})\s)?(?:{level})(?:\s?(?:-|ke|cenderung)\s?(?:{level}))?\b", re.I
    )


def _only(pattern: re.Pattern[str], text: str) -> str | None:
    """What a text has once; None where it has nothing of the kind, or several."""
    found = [match[0] for match in pattern.finditer(text)]
    return found[0] if len(found) == 1 else None


def uses(steps: Sequence[str], name: str, words: DetailWords) -> list[tuple[int, str]]:
    """Number and sentence of each step that names an ingredient, other than to say what becomes of it."""
    purposes = re.compile(rf"\b(?:{'|'.join(words.steps.purposes.split())})\b")
    wanted = re.compile(rf"(?<!\S){re.escape(fold(name))}(?:nya)?(?!\S)")
    found: dict[int, str] = {}
    for number, step in enumerate(steps, start=1):
        for sentence in _SENTENCE_END.split(step):
            spelt = fold(sentence)
            named = wanted.search(spelt)
            if named and not purposes.search(spelt[: named.start()]):
                found.setdefault(number, sentence.rstrip(" .!?,;"))
    return list(found.items())
