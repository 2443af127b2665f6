"""``understand.toml``, compiled: what words of questions and of dishes' names are, and how they are put right."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, Literal

from rapidfuzz.distance import OSA

from koki.ingredients.lexicon import LEXICON, Phrases, fold, match

Kind = Literal["", "break", "chat", "number", "dish", "food", "way", "trait", "place", "mild", "word"]
"""What a word is: "" for one with a role, "break" for a sign, "word" for any that no list has."""

WEIGHTS: Final[Mapping[Kind, float]] = {
    "dish": 1.0,
    "word": 1.0,
    "place": 0.8,
    "food": 0.5,
    "way": 0.5,
    "trait": 0.5,
    "mild": 0.2,
}
"""What a word of a dish's name says of it. "Lamongan" tells a soto from another; half of all dishes have "ayam"."""

GENERIC: Final = frozenset({"ikan", "daging"})
"""Foods that say little of a dish: a "gurame goreng" is an "ikan gurame goreng"."""

_TOKEN: Final = re.compile(r"\d+/\d+|\d+(?:[.,]\d+)?|[^\W\d_]{2,}[2²](?!\d)|[^\W\d_]+|[^\w\s-]")
_DRAWN_OUT: Final = re.compile(r"([^\W\d_])\1{2,}")
_DOUBLED: Final = re.compile(r"([^\W\d_])\1")
_VOWELS: Final = str.maketrans("", "", "aeiou")

# "Santannya" is that of the dish; "rawonku" is the rawon of who asks.
OF_IT: Final = ("nya", "nye", "ny", "ne", "na", "e")
"""Endings of what belongs to what is spoken of: "santannya"."""
_OF_ONE: Final = ("ku", "mu", "q")

# Fewer letters are soon another word.
_FEWEST_LETTERS: Final = 3
_SHORTEST_SHUFFLED: Final = 4
_SHORTEST_SLIP: Final = 5


def tokens(text: str) -> list[str]:
    """Words, numbers and signs in small letters; of a doubled word ("gado-gado", "rica2") each half."""
    found = []
    for token in _TOKEN.findall(_DRAWN_OUT.sub(r"\1", text.lower())):
        found += [token[:-1]] * 2 if token[-1] in "2²" and token[0].isalpha() else [token]
    return found


def _entries(text: str) -> list[str]:
    return [" ".join(entry.replace("-", " ").split()) for entry in text.replace("\n", ",").split(",") if entry.strip()]


class _Lists:
    """``understand.toml``, compiled.

    Attributes:
        phrases: what they mean, as ``role:...``, ``name:...`` or ``chat:``.
        kinds: of folded words of names.
        foods: folded names of ingredients.
        pieces: what stands before the animal or plant that it is of.
        within: what stands before "resep" where something in a recipe is asked for.
        instead: what opens a question about another dish than the one before.
        about: phrases that tell what a question is about: what lasts, kitchen, trouble, and those of harm.
    """

    def __init__(self) -> None:
        data: dict[str, Any] = tomllib.loads(files(__package__).joinpath("understand.toml").read_text("utf-8"))
        words: dict[str, str] = data["words"]
        self.phrases = Phrases(_meanings(data))
        more_foods = map(fold, _entries(words["more_foods"]))
        self.foods = Phrases((name, "") for name in (*_phrases_of(LEXICON.known), *more_foods))
        self.kinds = _kinds(data["kinds"], self.foods)
        self.pieces = frozenset(_entries(words["pieces"]))
        self.within = frozenset(_entries(words["within"]))
        self.instead = frozenset(_entries(words["instead"]))
        about = {key: words[key] for key in ("lasting", "trouble", "kitchen")} | data["harm"]
        self.about = {key: Phrases((entry, "") for entry in _entries(text)) for key, text in about.items()}
        self.known = frozenset(self.kinds).union(self.phrases, *(phrases.words() for phrases in self.about.values()))
        self.near: defaultdict[str, set[str]] = defaultdict(set)
        for word in self.known.union(self.phrases.words()):
            for rest in _without_one_letter(word):
                self.near[rest].add(word)


def _meanings(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for role, text in data["roles"].items():
        yield from ((entry, f"role:{role}") for entry in _entries(text))
    for table in (data["spellings"], data["foods"]):
        for name, text in table.items():
            yield from ((entry, f"name:{name}") for entry in _entries(text))
    yield from ((entry, "chat:") for entry in _entries(data["words"]["chat"]))


def _kinds(lists: dict[Kind, str], foods: Phrases) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for kind, text in lists.items():
        for entry in _entries(text):
            for word in fold(entry).split():
                kinds.setdefault(word, kind)
    for word in foods.words():
        kinds.setdefault(word, "food")
    return kinds


def _phrases_of(tree: Phrases, before: str = "") -> Iterator[str]:
    for word, longer in tree.items():
        phrase = f"{before} {word}".strip()
        if longer.meaning is not None:
            yield phrase
        yield from _phrases_of(longer, phrase)


def _without_one_letter(word: str) -> Iterator[str]:
    """The word, and what is left of it without each letter: words one slip apart have one of these in common."""
    yield word
    yield from (word[:place] + word[place + 1 :] for place in range(len(word)))


LISTS: Final = _Lists()


def has_any(said: Sequence[str], phrases: Phrases) -> bool:
    """Whether one of the phrases stands among the words."""
    words = list(said)
    return any(match(phrases, words, at)[0] for at in range(len(words)))


# -------------------------------------------------------------------------------------------------------------- names


def kind_of(word: str) -> Kind:
    """What a folded word is, as a part of a name."""
    return LISTS.kinds.get(word, "word")


def weight_of(word: str) -> float:
    """What a folded word says of a dish whose name has it."""
    return WEIGHTS["mild" if word in GENERIC else kind_of(word)]


@lru_cache(maxsize=65536)
def words_of_name(name: str) -> tuple[str, ...]:
    """The words of a dish's name, each once, in the spelling in which dishes are compared."""
    said, words, at = tokens(name), list[str](), 0
    while at < len(said):
        size, meaning = match(LISTS.phrases, said, at)
        if meaning.startswith("name:"):
            words += fold(meaning.removeprefix("name:")).split()
        elif not meaning.startswith("chat:"):
            words += fold(" ".join(said[at : at + (size or 1)])).split()
        at += size or 1
    return tuple(dict.fromkeys(words))


# -------------------------------------------------------------------------------------------------------------- slips


@lru_cache(maxsize=16384)
def put_right(word: str) -> str:
    """The one known word that an unknown word is a slip away from; else the word itself.

    The first letter of a short word is seldom wrong, and another one makes another word: "mulai" is no "gulai".
    """
    if len(word) < _SHORTEST_SHUFFLED or word in LISTS.known or kind_of(fold(word)) != "word" or stem_of(word):
        return word
    near = {it for rest in _without_one_letter(word) for it in LISTS.near.get(rest, ()) if _is_slip(word, it)}
    longer = {it for it in near if len(it) > len(word)}  # letters are left out more often than put in
    likely = longer or near
    return likely.pop() if len(likely) == 1 else word


def _is_slip(said: str, word: str) -> bool:
    """Whether letters are swapped, doubled or left out or, in a longer word, one is wrong."""
    if OSA.distance(said, word, score_cutoff=1) > 1:
        return False
    if sorted(said) == sorted(word) or once(said) == once(word):
        return True
    if len(said) < len(word) and consonants(said) == consonants(word):
        return True
    shortest = _SHORTEST_SLIP + (len(said) == len(word))  # "canai" is no "cabai"
    return len(said) >= shortest and len(word) >= _SHORTEST_SHUFFLED and said[0] == word[0]


def consonants(word: str) -> str:
    """What is left of a word that is typed short: "kcp"."""
    return word.translate(_VOWELS)


def once(word: str) -> str:
    """The word without doubled letters."""
    return _DOUBLED.sub(r"\1", word)


@lru_cache(maxsize=16384)
def stem_of(word: str) -> str:
    """What is somebody's or something's: "santannya" -> "santan", "rawonku" -> "rawon"; else nothing."""
    if kind_of(fold(word)) != "word":
        return ""
    if word.endswith("nya") and len(word) >= len("nya") + _SHORTEST_SHUFFLED:
        return word.removesuffix("nya")
    for end in (*OF_IT, *_OF_ONE):
        stem = word.removesuffix(end)
        if stem != word and len(stem) >= _FEWEST_LETTERS and kind_of(fold(stem).split()[-1]) not in ("word", "mild"):
            return stem
    return ""
