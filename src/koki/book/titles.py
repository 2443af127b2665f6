"""Titles as people post them, made fit to be said: "SEMUR ikan.... BY. Dapoer X" is Semur ikan."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final, NamedTuple

from koki.book.words import Titles, load_words
from koki.recipes.items import has_letter

# A word in capitals is more often an acronym (KFC, RM) than a word up to this many letters.
_LONGEST_ACRONYM: Final = 3
_EDGES: Final = " .,;:!?/\\&+^…@#|_~-–("

_TAGS: Final = re.compile(r"^(?:\[[^\]]*\]\s*)+(?=\w)")
_DRAWN_OUT: Final = re.compile(r"([a-z])\1{2,}")
_DOUBLED: Final = re.compile(r"\b([^\W\d_]{3,})[2²](?=\W|$|nya\b|an\b)")
_DOUBLED_BY_QUOTE: Final = re.compile(r'\b([^\W\d_]{3,})"')
_AFTERTHOUGHT: Final = re.compile(r"\s*(?:\||\s_\s|~(?=\w)|(?:\bala\s+)?@|[:;]-?[)vDP]+$).*", re.IGNORECASE)
_UNSAID: Final = re.compile(r"(?<!\bala)(?<!\bala[ -])\s+ala$", re.IGNORECASE)
_CHALLENGE: Final = re.compile(r"\s*\([^()]*_[A-Za-z][^()]*\)")  # where it was posted: "(PR_recookmasakanawalan)"
_UNCLOSED: Final = re.compile(r"\s*\([^()]*$")
_WORD: Final = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=16384)
def spoken(title: str) -> str:
    """The dish as one names it in a sentence: unsigned, not shouted, marks and spaces where they belong.

    A title of which nothing would be left stays as it is.
    """
    words = load_words().titles
    text = _spaced(_unsigned(_respelt(_TAGS.sub("", title))))
    text = _WORD.sub(lambda word: _cased(word[0], words), text).strip(_EDGES)
    return text[:1].upper() + text[1:] if has_letter(text) else title


def _respelt(text: str) -> str:
    """Drawn-out letters once, and doubled words in full: "pedasss", "rica2", "asem" with a single quote behind."""
    text = _DOUBLED.sub(_in_full, _DRAWN_OUT.sub(r"\1", text))
    return _DOUBLED_BY_QUOTE.sub(lambda word: f"{_in_full(word)} ", text) if text.count('"') % 2 else text


def _in_full(word: re.Match[str]) -> str:
    return f"{word[1]}-{word[1].lower()}"


class _Unsaid(NamedTuple):
    """What is not said: words before the dish, who posted or cooked it, and "ala saya"."""

    prefix: re.Pattern[str]
    signature: re.Pattern[str]
    mine: re.Pattern[str]


@cache
def _unsaid() -> _Unsaid:
    words = load_words().titles
    return _Unsaid(
        re.compile(rf"^(?:{_any_of(words.prefixes)})\s*:?\s*(?=\w)", re.IGNORECASE),
        re.compile(rf"(?<=[\w)])[^\w)]+(?:{_any_of(words.signatures)}).*", re.IGNORECASE),
        re.compile(rf"\s+(?:ala[ -])?ala (?:{_any_of(words.mine)}).*", re.IGNORECASE),
    )


def _unsigned(text: str) -> str:
    """The title without "by ...", "@...", "ala saya": the chef gives the answer, not who posted the recipe."""
    text = _unsaid().prefix.sub("", text)
    text = _AFTERTHOUGHT.sub("", text)
    text = _unsaid().mine.sub("", _unsaid().signature.sub("", text))
    return _UNCLOSED.sub("", _CHALLENGE.sub("", _UNSAID.sub("", text)))


def _any_of(phrases: Sequence[str]) -> str:
    return "|".join(rf"{phrase}\b" for phrase in phrases)


def _spaced(text: str) -> str:
    """The title without runs of dots or slashes, with a space after a comma and around brackets and joining signs."""
    text = re.sub(r"\.{2,}|…", " ", text)
    text = re.sub(r"\s*,\s*(?=[^\W\d_]|\()", ", ", text)
    text = re.sub(r"(?<=\w)\(", " (", re.sub(r"\s+\)", ")", text))
    text = re.sub(r"\)(?=\w)", ") ", text)
    text = re.sub(r"(?<=[^\W\d_]{3})\s*([&+])\s*(?=[^\W\d_]{3})", r" \1 ", text)
    return " ".join(re.sub(r"//+", "/", text).split())


def _cased(word: str, words: Titles) -> str:
    """An acronym in capitals, another word in capitals as words are written."""
    if word.upper() in words.acronyms:
        return word.upper()
    if not word.isupper() or len(word) == 1:
        return word
    is_short = len(word) <= _LONGEST_ACRONYM or set("AEIOU").isdisjoint(word)
    return word if is_short and word.lower() not in words.short_words else word.capitalize()
