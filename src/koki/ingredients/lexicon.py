"""``lexicon.toml``, compiled: what a word does in an ingredient line, and the spelling in which names are compared."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from typing import Final


class Phrases(dict[str, "Phrases"]):
    """A tree of phrases: each word leads to the words that may follow it.

    ``meaning`` is what the words up to here stand for; None where they are only the beginning of a phrase.
    """

    __slots__ = ("meaning",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__()
        self.meaning: str | None = None
        for phrase, meaning in pairs:
            end = self
            for word in phrase.split():
                end = end.setdefault(word, Phrases())
            if end.meaning is None:  # the first one counts
                end.meaning = meaning

    def words(self) -> Iterator[str]:
        """Every word of every phrase."""
        for word, longer in self.items():
            yield word
            yield from longer.words()

    def phrases(self) -> Iterator[str]:
        """Every phrase."""
        for word, longer in self.items():
            if longer.meaning is not None:
                yield word
            yield from (f"{word} {rest}" for rest in longer.phrases())


def match(phrases: Phrases, words: list[str], at: int) -> tuple[int, str]:
    """The longest of the phrases at ``words[at]``: how many words (0: none), and what it stands for."""
    size, meaning, end = 0, "", at
    found = phrases.get(words[at])
    while found is not None:
        end += 1
        if found.meaning is not None:
            size, meaning = end - at, found.meaning
        found = found.get(words[end]) if end < len(words) else None
    return size, meaning


def _rewrite(words: list[str], table: Phrases) -> list[str]:
    """The words with every phrase of ``table`` replaced by what it stands for."""
    out, at = list[str](), 0
    while at < len(words):
        size, canonical = match(table, words, at)
        out += canonical.split() if size else (words[at],)
        at += size or 1
    return out


def _entries(text: str) -> list[str]:
    return [entry for part in text.replace("\n", ",").split(",") if (entry := " ".join(part.split()))]


def _spellings(table: dict[str, str]) -> Phrases:
    """Phrases that stand for the key they are listed under."""
    return Phrases((spelling, canonical) for canonical, text in table.items() for spelling in _entries(text))


def _set_of(names: Iterable[str]) -> Phrases:
    """Phrases that stand for nothing else."""
    return Phrases((name, "") for name in names)


def _sets(table: dict[str, str]) -> dict[str, frozenset[str]]:
    return {key: frozenset(_entries(text)) for key, text in table.items()}


class Lexicon:
    """Every list of ``lexicon.toml``, as a set of words or as `Phrases`; the file says what each list is for."""

    def __init__(self) -> None:
        data = tomllib.loads(files(__package__).joinpath("lexicon.toml").read_text(encoding="utf-8"))
        self.words, self.headings = _sets(data["words"]), _sets(data["headings"])
        self.numbers = {word: float(value) for value, text in data["numbers"].items() for word in _entries(text)}
        self.scales = {word: float(value) for value, text in data["scales"].items() for word in _entries(text)}
        self.units, self.amounts = _spellings(data["units"]), _spellings(data["amounts"])
        self.amount_names = frozenset(data["amounts"])
        one_word = [name for name in data["units"] if name in self.units]
        self.unit_names = [name for name in one_word if len(name) > 4 or name in self.words["misspelt"]]
        self.approximately = _set_of(self.words["approximately"])
        self.before_name, self.tools = _set_of(self.words["before_name"]), _set_of(self.words["tools"])
        self.spelling, self.variants = _spellings(data["spelling"]), _spellings(data["variants"])
        preparation = data["preparation"]
        self.verbs = frozenset(_entries(preparation["verbs"]))
        self.manners = frozenset(_entries(preparation["manners"]))
        self.kept_after = _sets(preparation["kept_after"])
        known = data["ingredients"]["known"]
        self.known = _set_of({*_entries(known), *self._folded(known)})
        self.joinable = frozenset(self._folded(data["ingredients"]["joinable"]))
        self.staples = frozenset(self._folded(data["staples"]["exact"]))
        self.staple_heads = _set_of(self._folded(data["staples"]["heads"]))
        self.seasoning_heads = _set_of(self._folded(data["seasonings"]["heads"]))
        joins = dict.fromkeys(self.words["and"], "and") | dict.fromkeys(self.words["or"], "or")
        signs = {",": ",", ";": ",", ".": ",", "-": ",", "+": "and", "&": "and", "/": "or", ":": "", "=": ""}
        self.separators = joins | signs
        openers = ("always", "label", "maybe", "alone", "purpose")
        self.openers = self.words["comment"].union(*(self.headings[key] for key in openers))

    def _folded(self, text: str) -> list[str]:
        return [" ".join(_rewrite(name.split(), self.variants)) for name in _entries(text)]


LEXICON: Final = Lexicon()


# -------------------------------------------------------------------------------------------------------------- names


@lru_cache(maxsize=16384)
def respell(name: str) -> str:
    """The name with slips and abbreviations put right: "bwg pth" -> "bawang putih"."""
    return " ".join(_rewrite(name.split(), LEXICON.spelling))


@lru_cache(maxsize=16384)
def fold(name: str) -> str:
    """The spelling in which names are compared: "Cabe rawit", "lombok rawit" -> "cabai rawit"."""
    words = re.sub(r"[^0-9a-zà-ÿ%-]+", " ", name.lower()).split()
    return " ".join(_rewrite(_rewrite(words, LEXICON.spelling), LEXICON.variants))


@lru_cache(maxsize=16384)
def is_staple(name: str) -> bool:
    """Whether it is a seasoning that every kitchen has (salt, sugar, water, oil, pepper, stock powder)."""
    folded = fold(name)
    return folded in LEXICON.staples or bool(folded and match(LEXICON.staple_heads, folded.split(), 0)[0])


@lru_cache(maxsize=16384)
def is_seasoning(name: str) -> bool:
    """Whether it seasons a dish rather than makes it: a staple, an aromatic, a spice or a sauce."""
    folded = fold(name)
    return is_staple(name) or bool(folded and match(LEXICON.seasoning_heads, folded.split(), 0)[0])


@lru_cache(maxsize=16384)
def is_known(name: str) -> bool:
    """Whether its first word begins a known ingredient."""
    folded = fold(name).split()
    return bool(folded) and folded[0] in LEXICON.known


# -------------------------------------------------------------------------------------------------------------- words

_ROLES: Final = (
    ("optional", ("optional",)),
    ("filler", ("filler",)),
    ("note", ("note", "short_note", "size_label")),
    ("size", ("size",)),
)


@lru_cache(maxsize=16384)
def role_of(word: str) -> str:
    """What a word does in a line: optional, filler, note, size, manner, verb, or "" for a word of the name."""
    for name, lists in _ROLES:
        if any(word in LEXICON.words[key] for key in lists):
            return name
    if word in LEXICON.manners:
        return "manner"
    if fold(word) in LEXICON.known:
        return ""
    return "verb" if _is_preparation(word) else ""


def _is_preparation(word: str) -> bool:
    """Whether the word is a form of a preparation: iris, diiris, iris-iris, irisan, haluskan, potongin, dimemarkan."""
    if word in LEXICON.words["not_preparation"]:
        return False
    word = word.partition("-")[0]
    starts = [word]
    if word.startswith("di"):
        starts += [word[2:], word[1:]]
    elif word.startswith("d") and len(word) > 4:
        starts.append(word[1:])
    for start in starts:
        for end in ("", "kan", "in", "an", "i", "nya"):
            if start.endswith(end) and start.removesuffix(end) in LEXICON.verbs:
                return True
    # an imperative or a passive that the lexicon does not name: "siramkan", "dikeringkan"
    return (len(word) > 6 and word.endswith("kan")) or (len(word) > 5 and word.startswith("di"))


def stays(word: str, name: list[str]) -> bool:
    """Whether a preparation or size belongs to the name after what came before: "minyak goreng", "cabe merah besar"."""
    keepers = LEXICON.kept_after.get(word, frozenset())
    return bool(keepers) and any(fold(before) in keepers or before in keepers for before in name)


@lru_cache(maxsize=16384)
def unglue(word: str) -> tuple[str, ...]:
    """Unit and known name that were written in one: "buahtomat" -> "buah", "tomat"; else nothing."""
    for cut in range(2, min(len(word) - 2, 8)):
        if word[:cut] in LEXICON.units and is_known(word[cut:]):
            return word[:cut], word[cut:]
    return ()


@lru_cache(maxsize=16384)
def near_unit(word: str) -> str:
    """The unit that an unknown word is one slip away from: "aiung" -> "siung"; else nothing."""
    if not 4 <= len(word) <= 20 or is_known(word) or role_of(word):
        return ""
    one_slip = 0.75 if len(word) == 4 else 0.8
    return next(iter(get_close_matches(word, LEXICON.unit_names, 1, one_slip)), "")


@lru_cache(maxsize=16384)
def may_measure(word: str) -> bool:
    """Whether it may begin a number or an amount: "dua", "seruas", "secukupnya". Few words do."""
    return word in LEXICON.numbers or word in LEXICON.amounts or word.startswith("se") or is_enough(word)


@lru_cache(maxsize=16384)
def may_precede_name(word: str) -> bool:
    """Whether it may begin what stands between quantity and name: "kira-kira", "kecil", "irisan". Few words do."""
    tables = (LEXICON.approximately, LEXICON.before_name, LEXICON.units, LEXICON.words["empty"])
    return any(word in table for table in tables) or role_of(word) in ("filler", "size", "note", "optional")


@lru_cache(maxsize=16384)
def is_enough(word: str) -> bool:
    """Whether it is one of the countless slips for "secukupnya", by its consonants: sckpnya, srsukupnya."""
    consonants = re.sub("[aeiou]", "", word)
    return word.startswith("s") and ("ckp" in consonants or "kpn" in consonants)
