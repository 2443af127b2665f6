"""What is said of an answer whatever it gives: loops, language, reasons, refusals; pure functions."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

import numpy as np

from koki.answers.comparison import share, words_of
from koki.evaluation.words import WORDS

_LETTERS: Final = re.compile(r"[^\W\d_¼-¾⅐-⅞]+")  # to \w, fractions are letters
_CONTROL: Final = re.compile(r"<\|\w+\|>|</?think>")
# A loop repeats up to this many words, at least this often, and has at least this many in all: "hop hop hop" is none.
_LONGEST_ROUND: Final = 40
_ROUNDS: Final = 3
_SHORTEST_LOOP: Final = 6
# A line of at least this many words that stands this often in an answer is a loop: real recipes repeat themselves less.
_LINE_WORDS: Final = 4
_LINE_TIMES: Final = 4
# So are this many words in a row that come a second time: of 1,936 real recipes, three have that.
_ECHO: Final = 30
_PARTICLES: Final = ("nya", "lah", "kah")
_ENDINGS: Final = (*_PARTICLES, "kan", "an", "i")


# ----------------------------------------------------------------------------------------------------------- any answer


def has_loop(text: str) -> bool:
    """Whether a text goes round in circles: words three times in a row, a line four times, a long part twice."""
    lines = Counter(line for line in map(str.strip, text.lower().splitlines()) if len(line.split()) >= _LINE_WORDS)
    if any(times >= _LINE_TIMES for times in lines.values()):
        return True
    words = words_of(text)
    runs = [tuple(words[start : start + _ECHO]) for start in range(len(words) - _ECHO + 1)]
    if len(set(runs)) < len(runs):
        return True
    _, ids = np.unique(np.array(words, dtype=object).astype(str), return_inverse=True) if words else ([], np.zeros(0))
    return any(
        _longest_run(ids[:-period] == ids[period:]) >= max((_ROUNDS - 1) * period, _SHORTEST_LOOP - period)
        for period in range(1, min(_LONGEST_ROUND, len(words) // _ROUNDS) + 1)
    )


def _longest_run(hits: "np.typing.NDArray[np.bool_]") -> int:
    """The length of the longest run of True."""
    misses = np.flatnonzero(~hits)
    return int(np.diff(np.concatenate([[-1], misses, [len(hits)]])).max() - 1)


def indonesian_share(text: str, vocabulary: Collection[str]) -> float | None:
    """The share of a text's words that are in the vocabulary, as they are or without an ending; None without words."""
    words = _LETTERS.findall(text.lower())
    return share(word in vocabulary or _bare(word, _ENDINGS) in vocabulary for word in words)


def _bare(word: str, endings: Sequence[str]) -> str:
    return next((word.removesuffix(ending) for ending in endings if word.endswith(ending)), word)


def has_control_token(text: str) -> bool:
    """Whether a text shows something that only a tokenizer should see."""
    return _CONTROL.search(text) is not None


# ----------------------------------------------------------------------------------------------------------------- tips

_EMPTY: Final = frozenset(WORDS["tips"]["empty"].split())
_REASONS: Final = frozenset(WORDS["tips"]["reasons"])
_ENOUGH: Final = 1 / 3


def key_words(text: str) -> set[str]:
    """The words of a text that say something, without the particles that Indonesian appends."""
    return {_bare(word, _PARTICLES) for word in _LETTERS.findall(text.lower()) if len(word) > 2 and word not in _EMPTY}


def gives_reason(text: str, reference: str) -> bool:
    """Whether a text has a word that reasons are given with, or a third of the key words of the reference's reason.

    The reason of a reference is its last sentence, or the end of it after a semicolon.
    """
    if not _REASONS.isdisjoint(words_of(text)):
        return True
    *_, reason = re.split(r"(?<=[.!?;])\s+", reference.strip())
    return (said_of(key_words(reason), text) or 0.0) >= _ENOUGH


def said_of(wanted: Collection[str], text: str) -> float | None:
    """The share of key words that a text says; None where none are wanted."""
    said = key_words(text)
    return share(word in said for word in wanted)


# ------------------------------------------------------------------------------------------------------------- refusals

_DECLINES: Final = re.compile("|".join(rf"\b{re.escape(words)}\b" for words in WORDS["refusals"]["declines"]))


def declines(text: str) -> bool:
    """Whether a text has words that one declines with, or refers to others with."""
    return _DECLINES.search(text.lower()) is not None
