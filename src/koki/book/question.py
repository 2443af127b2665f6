"""A question, word by word: what each word does in it, or what food, dish or place it names.

The words are in ``understand.toml``. Names are in the spelling in which they are compared (`koki.ingredients.lexicon.fold`).
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import chain
from typing import Any, Final, Literal, NamedTuple

from rapidfuzz.distance import OSA

from koki.ingredients.lexicon import LEXICON, Phrases, fold, match, role_of

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

# Foods that say as little: a "gurame goreng" is an "ikan gurame goreng".
_GENERIC: Final = frozenset({"ikan", "daging"})

_TOKEN: Final = re.compile(r"\d+/\d+|\d+(?:[.,]\d+)?|[^\W\d_]{2,}[2²](?!\d)|[^\W\d_]+|[^\w\s-]")
_VOWELS: Final = str.maketrans("", "", "aeiou")
_DOUBLED: Final = re.compile(r"([^\W\d_])\1")
_DRAWN_OUT: Final = re.compile(r"([^\W\d_])\1{2,}")
# "santannya" is that of the dish; "rawonku" is the rawon of who asks.
_OF_IT: Final = ("nya", "nye", "ny", "ne", "na", "e")
_OF_ONE: Final = ("ku", "mu", "q")
_FEWEST_LETTERS: Final = 3
# Fewer letters are soon another word.
_SHORTEST_SHUFFLED: Final = 4
_SHORTEST_SLIP: Final = 5


class Word(NamedTuple):
    """A word of a question, or several that stand for one.

    Attributes:
        said: as it was typed, in small letters.
        text: folded; of a word with a role the same as ``said``.
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


def _entries(text: str) -> list[str]:
    return [" ".join(entry.replace("-", " ").split()) for entry in text.replace("\n", ",").split(",") if entry.strip()]


class _Lists:
    """``understand.toml``, compiled: phrases that mean ``role:...``, ``chat:`` or ``name:...``, and words by kind."""

    def __init__(self) -> None:
        data: dict[str, Any] = tomllib.loads(files(__package__).joinpath("understand.toml").read_text("utf-8"))
        words = data["words"]
        self.phrases = Phrases(_meanings(data))
        self.kinds: dict[str, Kind] = {}
        for key, kind in (
            ("dishes", "dish"),
            ("places", "place"),
            ("ways", "way"),
            ("traits", "trait"),
            ("mild", "mild"),
        ):
            for entry in _entries(words[key]):
                for word in fold(entry).split():
                    self.kinds.setdefault(word, kind)  # type: ignore[arg-type]
        self.foods = _foods(words["more_foods"])
        for word in self.foods.words():
            self.kinds.setdefault(word, "food")
        self.instead = frozenset(_entries(words["instead"]))
        self.pieces = frozenset(_entries(words["pieces"]))
        about = {key: words[key] for key in ("trouble", "kitchen")} | data["harm"]
        self.about = {key: Phrases((entry, "") for entry in _entries(text)) for key, text in about.items()}
        self.known = frozenset(self.phrases).union(self.kinds, *(phrases.words() for phrases in self.about.values()))
        self.near: defaultdict[str, set[str]] = defaultdict(set)
        for word in self.known.union(self.phrases.words()):
            for rest in _without_one_letter(word):
                self.near[rest].add(word)


def _foods(more: str) -> Phrases:
    """The names that the parser of recipes knows, and others that are said."""
    return Phrases(
        chain(((name, "") for name in _phrases_of(LEXICON.known)), ((fold(name), "") for name in _entries(more)))
    )


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


def _meanings(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for role, text in data["roles"].items():
        yield from ((entry, f"role:{role}") for entry in _entries(text))
    for table in (data["spellings"], data["foods"]):
        for name, text in table.items():
            yield from ((entry, f"name:{name}") for entry in _entries(text))
    yield from ((entry, "role:foreign") for entry in _entries(data["words"]["foreign"]))
    yield from ((entry, "chat:") for entry in _entries(data["words"]["chat"]))


LISTS: Final = _Lists()


def tokens(text: str) -> list[str]:
    """Words, numbers and signs in small letters; of a doubled word ("gado-gado", "rica2") each half."""
    found = []
    for token in _TOKEN.findall(_DRAWN_OUT.sub(r"\1", text.lower())):
        found += [token[:-1]] * 2 if len(token) > 1 and token[-1] in "2²" and token[0].isalpha() else [token]
    return found


@lru_cache(maxsize=16384)
def put_right(word: str) -> str:
    """The one known word that an unknown word is a slip away from; else the word itself.

    The first letter of a short word is seldom wrong, and another one makes another word: "mulai" is no "gulai".
    """
    if len(word) < _SHORTEST_SHUFFLED or word in LISTS.known or kind_of(fold(word)) != "word" or _stem(word):
        return word
    near = {it for rest in _without_one_letter(word) for it in LISTS.near.get(rest, ())}
    near = {it for it in near if _is_slip(word, it)}
    longer = {it for it in near if len(it) > len(word)}  # letters are left out more often than put in
    likely = longer or near
    return likely.pop() if len(likely) == 1 else word


def _is_slip(said: str, word: str) -> bool:
    """Whether letters are swapped or doubled or, in a longer word, one is wrong, too many or missing."""
    if OSA.distance(said, word, score_cutoff=1) > 1:
        return False
    if sorted(said) == sorted(word) or once(said) == once(word):
        return True
    if len(said) < len(word) and consonants(said) == consonants(word):
        return True
    shortest = _SHORTEST_SLIP if len(said) != len(word) or kind_of(word) != "word" else _SHORTEST_SLIP + 1
    return len(said) >= shortest and len(word) >= _SHORTEST_SHUFFLED and said[0] == word[0]


def consonants(word: str) -> str:
    """What is left of a word that is typed short: "kcp"."""
    return word.translate(_VOWELS)


def once(word: str) -> str:
    """The word without doubled letters."""
    return _DOUBLED.sub(r"\1", word)


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
    elif word[0].isdigit():
        yield Word(said, word, "number")
    elif stem := _stem(word):
        for part in fold(stem).split():
            kind = kind_of(part)
            ends_name = after_name and kind == "dish"  # "telur baladonya"
            yield Word(said, part, kind, owned=word.removeprefix(stem) in _OF_IT and not ends_name)
    else:
        yield from (Word(said, part, _kind_in_question(part)) for part in (fold(word) or word).split())


def _kind_in_question(word: str) -> Kind:
    """What a word is: one that no list has may still be something done to food: "direbus"."""
    kind = kind_of(word)
    return "way" if kind == "word" and role_of(word) == "verb" else kind


@lru_cache(maxsize=16384)
def _stem(word: str) -> str:
    """What is owned: "santannya" -> "santan"; else nothing."""
    if kind_of(fold(word)) != "word":
        return ""
    if word.endswith("nya") and len(word) >= len("nya") + _SHORTEST_SHUFFLED:
        return word.removesuffix("nya")
    for end in (*_OF_IT, *_OF_ONE):
        stem = word.removesuffix(end)
        if stem != word and len(stem) >= _FEWEST_LETTERS and kind_of(fold(stem).split()[-1]) not in ("word", "mild"):
            return stem
    return ""


def kind_of(word: str) -> Kind:
    """What a folded word is, as a part of a name."""
    return LISTS.kinds.get(word, "word")


def weight_of(word: str) -> float:
    """What a folded word says of a dish whose name has it."""
    return WEIGHTS["mild" if word in _GENERIC else kind_of(word)]


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


def has_any(said: Sequence[str], phrases: Phrases) -> bool:
    """Whether one of the phrases stands in the text."""
    return any(match(phrases, list(said), at)[0] for at in range(len(said)))


def runs(words: Iterable[Word]) -> Iterator[list[int]]:
    """The places of words that stand side by side and name something."""
    run: list[int] = []
    for place, word in enumerate(words):
        if word.names and not word.owned:
            run.append(place)
        elif run:
            yield run
            run = []
    if run:
        yield run
