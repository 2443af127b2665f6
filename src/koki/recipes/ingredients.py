"""One raw ingredient line -> ``Ingredient``.

Rules live here, words in ``lexicon.toml``. A line is read in steps: normalise; take out what stands in brackets; take
off a heading or label; cut into parts at commas, "dan", "atau", "/" and the like; read each part (quantity, unit, name,
preparation, remark); put the parts together.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final

Quantity = float | tuple[float, float]

MAX_CHARS: Final = 1000
"""A line is read up to here; ``raw`` keeps all of it."""

LEAST_PRICE: Final = 500
"""A whole number from here on without a unit is a price in rupiah: nobody counts 500 chillies."""


@dataclass(frozen=True, slots=True)
class Ingredient:
    """What one line of an ingredient list says.

    ``quantity`` is a number or a range (low, high); ``unit`` is canonical and, where the line gives no number, may be
    an amount such as "secukupnya". A heading has no name and carries its own cleaned text as ``group``.
    """

    raw: str
    name: str | None
    heading: bool = False
    quantity: Quantity | None = None
    unit: str | None = None
    preparation: str | None = None
    note: str | None = None
    optional: bool = False
    alternatives: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    group: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The line as JSON-ready values; a range becomes a list of two numbers."""
        return {
            "raw": self.raw,
            "name": self.name,
            "heading": self.heading,
            "quantity": list(self.quantity) if isinstance(self.quantity, tuple) else self.quantity,
            "unit": self.unit,
            "preparation": self.preparation,
            "note": self.note,
            "optional": self.optional,
            "alternatives": list(self.alternatives),
            "others": list(self.others),
        }


# ---------------------------------------------------------------------------------------------------------- lexicon

Phrases = dict[str, tuple[tuple[tuple[str, ...], str], ...]]
"""First word -> (whole phrase, what it stands for), longest first."""


def _entries(text: str) -> list[str]:
    return [entry for part in text.replace("\n", ",").split(",") if (entry := " ".join(part.split()))]


def _phrases(table: dict[str, str]) -> Phrases:
    by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for canonical, spellings in table.items():
        for spelling in _entries(spellings):
            words = tuple(spelling.split())
            by_first.setdefault(words[0], []).append((words, canonical))
    return {first: tuple(sorted(found, key=lambda pair: -len(pair[0]))) for first, found in by_first.items()}


class _Lexicon:
    """``lexicon.toml``, compiled."""

    def __init__(self) -> None:
        data = tomllib.loads(files(__package__).joinpath("lexicon.toml").read_text(encoding="utf-8"))
        words = {key: frozenset(_entries(text)) for key, text in data["words"].items()}
        headings = {key: frozenset(_entries(text)) for key, text in data["headings"].items()}
        self.words, self.headings = words, headings
        self.numbers = {word: float(value) for value, text in data["numbers"].items() for word in _entries(text)}
        self.units = _phrases(data["units"])
        self.unit_names = [name for name in data["units"] if name in self.units and len(name) > 4]
        self.amounts = _phrases(data["amounts"])
        self.approximately = _phrases({"": data["words"]["approximately"]})
        self.before_name = _phrases({"": data["words"]["before_name"]})
        self.spelling = _phrases(data["spelling"])
        self.variants = _phrases(data["variants"])
        preparation = data["preparation"]
        self.verbs = frozenset(_entries(preparation["verbs"]))
        self.manners = frozenset(_entries(preparation["manners"]))
        self.kept_after = {word: frozenset(_entries(text)) for word, text in preparation["kept_after"].items()}
        known = _entries(data["ingredients"]["known"])
        self.known = _phrases({"": ",".join({*known, *(_rewrite(name, self.variants) for name in known)})})
        joinable = _entries(data["ingredients"]["joinable"])
        self.joinable = frozenset(_rewrite(name, self.variants) for name in joinable)
        joins = dict.fromkeys(words["and"], "and") | dict.fromkeys(words["or"], "or")
        signs = {",": ",", ";": ",", ".": ",", "-": ",", "+": "and", "&": "and", "/": "or", ":": "", "=": ""}
        self.separators = joins | signs
        openers = ("always", "label", "maybe", "alone", "purpose")
        self.openers = words["comment"].union(*(headings[key] for key in openers))
        staples = data["staples"]
        self.staples = frozenset(_rewrite(name, self.variants) for name in _entries(staples["exact"]))
        heads = [_rewrite(name, self.variants) for name in _entries(staples["heads"])]
        self.staple_heads = _phrases({"": ",".join(heads)})
        seasonings = [_rewrite(name, self.variants) for name in _entries(data["seasonings"]["heads"])]
        self.seasoning_heads = _phrases({"": ",".join(seasonings)})


def _match(table: Phrases, words: list[str], at: int) -> tuple[int, str]:
    """The longest phrase of ``table`` at ``words[at]``: how many words (0: none), and what it stands for."""
    for phrase, canonical in table.get(words[at], ()):
        size = len(phrase)
        if size == 1 or tuple(words[at : at + size]) == phrase:
            return size, canonical
    return 0, ""


def _rewrite(name: str, table: Phrases) -> str:
    words, out, at = name.split(), [], 0
    while at < len(words):
        size, canonical = _match(table, words, at)
        out.append(canonical if size else words[at])
        at += size or 1
    return " ".join(out)


_LEXICON: Final = _Lexicon()


def _respell(name: list[str]) -> list[str]:
    """The name with slips and abbreviations put right: "bwg pth" -> "bawang putih"."""
    if any(word in _LEXICON.spelling for word in name):
        return _rewrite(" ".join(name), _LEXICON.spelling).split()
    return name


@lru_cache(maxsize=16384)
def fold(name: str) -> str:
    """The spelling under which names are compared: "Cabe rawit", "lombok rawit" -> "cabai rawit"."""
    words = re.sub(r"[^0-9a-zà-ÿ%-]+", " ", name.lower())
    return _rewrite(_rewrite(words, _LEXICON.spelling), _LEXICON.variants)


@lru_cache(maxsize=16384)
def is_staple(name: str) -> bool:
    """Whether it is a seasoning every kitchen has (salt, sugar, water, oil, pepper, stock powder)."""
    folded = fold(name)
    return folded in _LEXICON.staples or bool(folded and _match(_LEXICON.staple_heads, folded.split(), 0)[0])


@lru_cache(maxsize=16384)
def is_seasoning(name: str) -> bool:
    """Whether it seasons a dish and does not make it: a staple, an aromatic, a spice or a sauce."""
    folded = fold(name)
    return is_staple(name) or bool(folded and _match(_LEXICON.seasoning_heads, folded.split(), 0)[0])


@lru_cache(maxsize=16384)
def _is_known(name: str) -> bool:
    folded = fold(name).split()
    return bool(folded) and folded[0] in _LEXICON.known


# ------------------------------------------------------------------------------------------------------------ words


def _is_preparation(word: str) -> bool:
    """Whether the word is a form of a preparation: iris, diiris, iris-iris, irisan, haluskan, potongin, dimemarkan."""
    if word in _LEXICON.words["not_preparation"]:
        return False
    word = word.partition("-")[0]
    starts = [word]
    if word.startswith("di"):
        starts += [word[2:], word[1:]]
    elif word.startswith("d") and len(word) > 4:
        starts.append(word[1:])
    for start in starts:
        for end in ("", "kan", "in", "an", "i", "nya"):
            if start.endswith(end) and start[: len(start) - len(end)] in _LEXICON.verbs:
                return True
    # an imperative or a passive that the lexicon does not name: "siramkan", "dikeringkan"
    return (len(word) > 6 and word.endswith("kan")) or (len(word) > 5 and word.startswith("di"))


_ROLES: Final = (
    ("optional", ("optional",)),
    ("filler", ("filler",)),
    ("note", ("note", "short_note", "size_label")),
    ("size", ("size",)),
)


@lru_cache(maxsize=16384)
def _role(word: str) -> str:
    """What a word does in a line: "" for a word of the name."""
    words = _LEXICON.words
    for role, members in _ROLES:
        if any(word in words[member] for member in members):
            return role
    if word in _LEXICON.manners:
        return "manner"
    if fold(word) in _LEXICON.known:
        return ""
    return "verb" if _is_preparation(word) else ""


@lru_cache(maxsize=16384)
def _glued(word: str) -> list[str]:
    """Unit and known name that were written in one: "buahtomat" -> ["buah", "tomat"]; else nothing."""
    for cut in range(2, min(len(word) - 2, 8)):
        if word[:cut] in _LEXICON.units and _is_known(word[cut:]):
            return [word[:cut], word[cut:]]
    return []


@lru_cache(maxsize=16384)
def _near_unit(word: str) -> str:
    """The unit that an unknown word is one slip away from: "aiung" -> "siung"; else nothing."""
    if len(word) > 20 or _is_known(word) or _role(word):
        return ""
    return next(iter(get_close_matches(word, _LEXICON.unit_names, 1, 0.8)), "")


@lru_cache(maxsize=16384)
def _is_enough(word: str) -> bool:
    """Whether it is one of the countless slips for "secukupnya", by its consonants: sckpnya, srsukupnya."""
    consonants = re.sub("[aeiou]", "", word)
    return word.startswith("s") and ("ckp" in consonants or "kpn" in consonants)


def _stays(word: str, name: list[str]) -> bool:
    """Whether a preparation or size belongs to the name after what came before: "minyak goreng", "cabe merah besar"."""
    keepers = _LEXICON.kept_after.get(word, frozenset())
    return bool(keepers) and any(fold(before) in keepers or before in keepers for before in name)


# ------------------------------------------------------------------------------------------------------------- text

_AMOUNT: Final = r"(?:[0-9]{1,6}\s+)?[0-9]{1,6}\s?/\s?[0-9]{1,6}|[0-9]{1,6}(?:[.,][0-9]{1,6})?"
_TO: Final = r"\s?(?:-|~|s/d|sampai|hingga|atau)\s?"
_NUMBER: Final = re.compile(rf"({_AMOUNT})(?:{_TO}({_AMOUNT}))?")
_TOKEN: Final = re.compile(rf"(?:{_AMOUNT})(?:{_TO}(?:{_AMOUNT}))?|[^\W\d_]+(?:['’*-][^\W\d_]+)*|[-,;/+&=.:]")
_DOUBLED: Final = re.compile(r"\b(di|)([^\W\d_]{3,})2(?![0-9]|[.,/][0-9])(an|nya|kan)?")  # "diiris2" -> "diiris-iris"
_ABBREVIATED: Final = re.compile(r"\b([^\W\d_]{1,3})\.(?=\s?[^\W\d_])")  # "bw.merah"
_NUMBERED: Final = re.compile(r"\(?[0-9]{1,2}(?:\)\s*|\.\s+)(?=[^\W\d_])")  # "1) garam"
_NOISE: Final = re.compile(r"https?://\S*|www\.\S*|[^\w\s.,;:/+&()\[\]{}=%'’*~-]|_")
_BRACKET: Final = re.compile(r"([(\[{)\]}])")


def _normalise(raw: str) -> str:
    """Lower case; plain digits and letters; "iris2" and "iris²" are "iris-iris"; no links, emoji or bullets."""
    text = raw.lstrip()[:MAX_CHARS]
    if not text.isascii():
        text = re.sub(r"(?<=[^\W\d_])\s?[²₂]", "2", text)
        text = re.sub(r"(?<=[0-9])(?=[¼-¾⅐-⅞])", " ", text)
        text = re.sub("[–—−]", "-", unicodedata.normalize("NFKD", text).replace("⁄", "/"))
        text = "".join(sign for sign in text if not unicodedata.combining(sign))
    text = _NOISE.sub(" ", text.lower()).replace(" u/", " untuk ")
    if "2" in text:
        text = _DOUBLED.sub(r"\1\2-\2\3", text)
    if "." in text:
        text = _ABBREVIATED.sub(r"\1 ", text)
    text = text.strip(" \t\r\n.,;*-+/&='’~")
    return text[found.end() :] if (found := _NUMBERED.match(text)) else text


def _brackets(text: str) -> tuple[str, list[str]]:
    """The text outside brackets and the texts inside; an unclosed bracket runs to the end, a stray one is dropped."""
    outside: list[str] = []
    inside: list[list[str]] = []
    depth = 0
    for piece in _BRACKET.split(text):
        if piece in ("(", "[", "{"):
            depth += 1
            if depth == 1:
                inside.append([])
        elif piece in (")", "]", "}"):
            depth = max(depth - 1, 0)
        else:
            (inside[-1] if depth else outside).append(piece)
    return " ".join(outside), [" ".join(words) for words in inside]


def _parts(text: str) -> Iterator[tuple[str, list[str]]]:
    """The words between separators, and the kind of separator before them: ",", "and" or "or"."""
    before, words = ",", list[str]()
    for token in _TOKEN.findall(text):
        kind = _LEXICON.separators.get(token)
        if kind is None:
            words.append(token)
        elif kind:
            if words:
                yield before, words
                words = []
            before = kind
    if words:
        yield before, words


def _number(text: str) -> float:
    """The value of "1 1/2", "11/2", "1,5", "1.500" or "3"."""
    if text.isdigit():
        return float(text)
    total = 0.0
    for piece in re.sub(r"\s?/\s?", "/", text).split():
        above, slash, below = piece.partition("/")
        if slash and len(above) == 2 and int(above) > int(below):  # "11/2" is one and a half
            total += int(above[0]) + int(above[1]) / (int(below) or 1)
        elif slash:
            total += int(above) / (int(below) or 1)
        else:
            whole, _, digits = piece.replace(",", ".").partition(".")
            thousands = len(digits) == 3 and whole != "0"
            total += float(whole + digits) if thousands else float(f"{whole}.{digits or 0}")
    return total


def _quantity(text: str, unit: str) -> Quantity:
    above, _, below = text.partition("/")
    if unit in _LEXICON.words["whole"] and above.isdigit() and below.isdigit() and int(below) == int(above) + 1 > 2:
        return float(above), float(below)  # nobody takes two thirds of a leaf
    found = _NUMBER.match(text)
    low, high = found.groups() if found else ("0", None)
    first, last = _number(low), _number(high or "0")
    if last > first:
        return first, last
    return first + last if last < 1 else first  # "1-1/2" is one and a half


# ------------------------------------------------------------------------------------------------------------- parts


@dataclass(slots=True)
class _Part:
    """What one part of a line says."""

    quantity: Quantity | None = None
    unit: str | None = None
    name: list[str] = field(default_factory=list)
    preparations: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    optional: bool = False
    rest: list[str] = field(default_factory=list)  # words of a further part: "2 lembar salam 1 batang serai"
    ends_open: bool = False  # its last word is the object of a preparation or remark, which "dan" may go on with

    def amount(self) -> str:
        """Quantity and unit as text."""
        numbers = self.quantity if isinstance(self.quantity, tuple) else (self.quantity,)
        figures = "-".join(f"{number:g}" for number in numbers if number is not None)
        return f"{figures} {self.unit or ''}".strip()


class _Reader:
    """Reads one part, word by word.

    ``mode`` says where a plain word goes: to the "name", to the open "preparation" or "note", or, when the name is
    over ("after"), to a new note. ``leading`` is true as long as the line has no name yet.
    """

    def __init__(self, words: list[str], leading: bool) -> None:
        self.words, self.leading, self.at = words, leading, 0
        self.part = _Part()
        self.mode = "name"
        self.open: list[str] = []
        self.short = False  # the open note ends at the next preparation

    def read(self) -> _Part:
        part = self.part
        while self.at < len(self.words):
            word = self.words[self.at]
            if word[0] in "0123456789":
                self._read_digits(word)
            elif not (self._read_number(word) or self._read_amount(word)):
                self._read_word(word)
        part.ends_open = bool(self.open) and not _role(self.open[-1])
        self._close()
        part.name = _respell(part.name)
        return part

    def _take(self, into: list[str], count: int = 1) -> None:
        into += self.words[self.at : self.at + count]
        self.at += count

    def _close(self, mode: str | None = None) -> None:
        """Ends the open preparation or note, and goes on in ``mode``."""
        words = self.open
        while words and _role(words[-1]) == "filler":
            words.pop()
        if words and self.mode == "preparation":
            self.part.preparations.append(" ".join(words))
        elif words:
            self._note(words)
        self.open, self.mode = [], mode or self.mode

    def _note(self, words: list[str]) -> None:
        optional, nothing_else = _says_optional(words)
        self.part.optional |= optional
        if not nothing_else:
            self.part.notes.append(" ".join(words))

    # ---- quantities

    def _unit(self, at: int) -> tuple[int, str]:
        return _match(_LEXICON.units, self.words, at) if at < len(self.words) else (0, "")

    def _unit_after_number(self, at: int) -> tuple[int, str]:
        """A unit, also glued to the name ("buahTomat") or misspelt before a known one ("aiung bawang")."""
        size, unit = self._unit(at)
        if size or at >= len(self.words):
            return size, unit
        if glued := _glued(self.words[at]):
            self.words[at : at + 1] = glued
            return self._unit(at)
        if at + 1 < len(self.words) and _is_known(self.words[at + 1]):
            near = _near_unit(self.words[at])
            return (1, near) if near else (0, "")
        return 0, ""

    def _read_digits(self, text: str) -> None:
        size, unit = self._unit_after_number(self.at + 1)
        following = self.words[self.at + 1] if self.at + 1 < len(self.words) else ""
        if following in _LEXICON.words["price"]:
            self._remark(2)
        elif not size and text.isdigit() and int(text) >= LEAST_PRICE:
            self._remark(1)
        elif self.mode == "note" or (self.mode == "preparation" and not self._counts(unit)):
            self._take(self.open, 1 + size)
        elif self.part.quantity is not None:
            self._read_second_quantity(1 + size)
        else:
            self._close("after" if self.part.name else "name")
            quantity = _quantity(text, unit)
            half = _LEXICON.numbers.get(following, 1)
            if half < 1 and isinstance(quantity, float):  # "1 setengah"
                quantity, size, unit = quantity + half, *self._unit(self.at + 2)
                self.at += 1
            self.at += 1 + size
            self._set_quantity(quantity, unit)

    def _read_second_quantity(self, count: int) -> None:
        """Starts a further part where a known name follows, else takes a remark: "1 kg ayam 1 ekor"."""
        following = self.words[self.at + count : self.at + count + 1]
        if self.part.name and count > 1 and following and _is_known(following[0]):
            self.part.rest, self.words = self.words[self.at :], self.words[: self.at]
        else:
            self._remark(count)

    def _counts(self, unit: str) -> bool:
        """Whether a number after a preparation is the ingredient's: "potong dadu 1 papan", not "potong 2 cm"."""
        return self.part.quantity is None and bool(unit) and unit not in _LEXICON.words["pieces"]

    def _remark(self, count: int) -> None:
        self._note(self.words[self.at : self.at + count])
        self.at += count

    def _set_quantity(self, quantity: Quantity, unit: str) -> None:
        if self.part.unit:
            self._note([self.part.unit])
        self.part.quantity, self.part.unit = quantity, unit or None
        again, second = self._unit(self.at)
        if unit and second in _LEXICON.words["bare_units"]:
            self.at += again  # "3 cm ruas jahe"

    def _read_number(self, word: str) -> bool:
        """Takes "setengah", "dua", or "se" with a unit: "seruas", "sebungkus"."""
        if self.part.quantity is not None or self.mode in ("preparation", "note"):
            return False
        value = _LEXICON.numbers.get(word)
        if value is not None:
            size, unit = self._unit(self.at + 1)
            if self.part.name and not size and self.at + 1 < len(self.words):
                return False
            self.at += 1 + size
        elif word.startswith("se") and not _role(word):
            value = 1.0
            size, unit = _match(_LEXICON.units, [word[2:], *self.words[self.at + 1 : self.at + 4]], 0)
            if not size:
                return False
            self.at += size
        else:
            return False
        self._set_quantity(value, unit)
        return True

    def _read_amount(self, word: str) -> bool:
        """Takes "secukupnya", "sesuai selera", "sedikit"."""
        size, amount = _match(_LEXICON.amounts, self.words, self.at)
        if not size and _is_enough(word):
            size, amount = 1, "secukupnya"
        if not size or self._belongs_inside(amount):
            return False
        self._close("after" if self.part.name else "name")
        self.at += size
        if self.part.unit or self.part.quantity is not None:
            self._note([amount])
        elif amount == "beberapa" and (unit := self._unit(self.at))[0]:
            self._note([amount])
            self.at, self.part.unit = self.at + unit[0], unit[1]
        else:
            self.part.unit = amount
        return True

    def _belongs_inside(self, amount: str) -> bool:
        """Whether an amount goes on with what is open: "potong sesuai selera", "beri sedikit air"."""
        if self.mode == "preparation":
            return amount != "secukupnya"
        if self.mode == "note":
            return amount not in ("secukupnya", "sesuai selera")
        return amount == "banyak" and bool(self.part.name)

    # ---- words

    def _read_word(self, word: str) -> None:
        role = _role(word)
        if word in ("di", "d") and self.at + 1 < len(self.words) and _role(self.words[self.at + 1]) == "verb":
            self.at += 1
            self.words[self.at] = "di" + self.words[self.at]
            role = "verb"
        if self.mode == "preparation" and (
            role == "optional" or (role == "note" and word not in _LEXICON.words["inside_preparation"])
        ):
            self._open_note(word)
        elif self.mode == "note" and role in ("verb", "manner") and self._note_may_end():
            self._open_preparation()
        elif self.mode in ("preparation", "note"):
            self._take(self.open)
        elif self.part.name:
            self._after_name(word, role)
        elif not self._before_name(word, role):
            self._begin_name(word, role)

    def _note_may_end(self) -> bool:
        if all(word in _LEXICON.words["speaker"] for word in self.open):
            self.open = []  # "saya iris tipis": how, not a remark
            return True
        return self.short

    def _open_preparation(self) -> None:
        self._close("preparation")
        self._take(self.open)

    def _open_note(self, word: str) -> None:
        is_size = word in _LEXICON.words["size_label"]
        self._close("note")
        self.short = is_size or word in _LEXICON.words["short_note"]
        self._take(self.open)
        while is_size and self.at < len(self.words) and _role(self.words[self.at]) in ("size", "filler"):
            self._take(self.open)
        if is_size and not self.part.name and len(self.open) > 1:
            self._close("name")  # "ukuran kecil tempe"

    def _after_name(self, word: str, role: str) -> None:
        if self.mode == "name" and (not role or _stays(word, self.part.name)):
            self._take(self.part.name)
        elif role == "filler":
            self.mode = "after"
            self.at += 1
        elif role == "size":
            self._remark(1)
        elif role in ("verb", "manner"):
            self._open_preparation()
        else:
            self._open_note(word)

    def _before_name(self, word: str, role: str) -> bool:
        """Takes what may stand between quantity and name: "kira-kira", "kecil", "irisan", a bare unit."""
        rest = len(self.words) - self.at - 1
        size, _ = _match(_LEXICON.approximately, self.words, self.at)
        if size and rest >= size and self.words[self.at + size][0].isdigit():
            self.at += size
        elif role == "filler" or (rest and word in _LEXICON.words["empty"]):
            self.at += 1
        elif role == "size" and (rest or not self.leading or self.part.preparations):
            self._remark(1)
        elif (found := _match(_LEXICON.before_name, self.words, self.at)[0]) and self._may_follow(self.at + found):
            self.part.preparations.append(" ".join(self.words[self.at : self.at + found]))
            self.at += found
        elif rest and not self.part.unit and (unit := self._unit(self.at))[1] in _LEXICON.words["bare_units"]:
            self.at, self.part.unit = self.at + unit[0], unit[1]
        else:
            return role in ("note", "optional") and self._skip_if_liked()
        return True

    def _may_follow(self, at: int) -> bool:
        """Whether a name may start at ``at``: in the first part any word, later a known ingredient."""
        return at < len(self.words) and (self.leading or _is_known(self.words[at]))

    def _begin_name(self, word: str, role: str) -> None:
        size, _ = _match(_LEXICON.known, self.words, self.at)
        if size > 1:  # whatever its words do elsewhere: "agar agar"
            self._take(self.part.name, size)
        elif role == "optional" or (
            role == "note" and not (self.leading and (word in _LEXICON.spelling or word in _LEXICON.known))
        ):
            self._open_note(word)
        elif role in ("verb", "manner"):
            if not self._leading_preparation():
                self._open_preparation()
        else:
            self._take(self.part.name)

    def _skip_if_liked(self) -> bool:
        """Takes "bila suka", "boleh ditambah" and the like before a known name."""
        words, end = _LEXICON.words, self.at
        while end < len(self.words) and (
            self.words[end] in words["optional_around"] or self.words[end] in words["add"]
        ):
            end += 1
        said = self.words[self.at : end]
        opens = any(word in words["optional_if"] or word in words["optional_may"] for word in said)
        opens = opens or any(word in words["optional"] for word in said[:1])
        if not opens or not self.leading or end == len(self.words) or not _is_known(self.words[end]):
            return False
        self.part.optional, self.at = True, end
        return True

    def _leading_preparation(self) -> bool:
        """Takes a preparation of up to three words before a known name or a quantity: "potong dadu wortel"."""
        for end in range(self.at + 1, min(self.at + 4, len(self.words))):
            if self.leading and (_is_known(self.words[end]) or self.words[end][0].isdigit()):
                self.part.preparations.append(" ".join(self.words[self.at : end]))
                self.at = end
                return True
        return False


def _says_optional(words: list[str]) -> tuple[bool, bool]:
    """Whether a remark says that the ingredient may be left out, and whether it says nothing else."""
    lexicon = _LEXICON.words
    says = (
        any(word in lexicon["optional"] for word in words)
        or any(a in lexicon["optional_may"] and b in lexicon["optional_without"] for a, b in pairwise(words))
        or (
            any(a in lexicon["optional_if"] and b in lexicon["optional_wish"] for a, b in pairwise(words))
            and not any(word in lexicon["more_or_less"] for word in words)
        )
    )
    return says, says and all(word in lexicon["optional_around"] or word in lexicon["optional"] for word in words)


# -------------------------------------------------------------------------------------------------------------- line

_JOINTS: Final = {",": ", ", "and": " dan ", "or": "/"}


@dataclass(slots=True)
class _Line:
    """A line as its parts are put together."""

    main: _Part = field(default_factory=_Part)
    alternatives: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    preparation: str = ""
    notes: list[str] = field(default_factory=list)
    is_open: bool = False

    def add(self, separator: str, words: list[str]) -> None:
        """Reads one more part."""
        part = _Reader(list(words), leading=not self.main.name).read()
        if not self.main.name:
            self._begin(part)
        elif not part.name:
            self._take_amount(part)
        elif separator == "or":
            self.alternatives.append(_share(self.main.name, part.name))
        elif self._is_other(part, separator):
            names = _names(part.name)
            shares = separator == "and" or not _is_known(names[0])
            self.others += [_share(self.main.name, part.name)] if shares else names
        else:
            self._go_on(separator, " ".join(words))
            return
        self._take_rest(part, separator)
        if part.rest:
            self.add(",", part.rest)

    def add_aside(self, text: str) -> None:
        """Reads what stands in brackets: never a further ingredient."""
        for separator, words in _parts(text):
            part = _Reader(list(words), leading=False).read()
            if not part.name:
                self._take_amount(part)
                self._take_rest(part, separator)
            elif separator == "or" and _is_known(" ".join(part.name)):
                self.alternatives.append(_share(self.main.name, part.name))
            else:
                self.notes.append(" ".join(words))

    def _begin(self, part: _Part) -> None:
        earlier, self.main = self.main, part
        if earlier.quantity is not None or (earlier.unit and part.unit is None):  # "1 bungkus/2 sdm tepung"
            if part.quantity is not None:
                self.notes.append(part.amount())
            part.quantity, part.unit = earlier.quantity, earlier.unit
        part.optional |= earlier.optional

    def _take_amount(self, part: _Part) -> None:
        """An amount without a name is the line's, if that has none yet: "garam (1 sdt)"."""
        main = self.main
        if part.quantity is None and part.unit is None:
            return
        if main.quantity is None and (main.unit is None or part.quantity is not None):
            main.quantity, main.unit = part.quantity, part.unit
        else:
            self.notes.append(part.amount())

    def _is_other(self, part: _Part, separator: str) -> bool:
        if separator == "and" and self.is_open:
            return False
        plain = separator == "and" and len(part.name) < 4 and not self.preparation and not self.notes
        return plain or part.quantity is not None or _is_known(" ".join(part.name))

    def _go_on(self, separator: str, text: str) -> None:
        """Words that name nothing go on with what was said last: "kupas dan bagi dua"."""
        self.is_open = True
        if separator != "," and self.preparation and not self.notes:
            self.preparation += _JOINTS[separator] + text
        else:
            self._add_note(separator, text)

    def _take_rest(self, part: _Part, separator: str) -> None:
        self.main.optional |= part.optional
        self.is_open = part.ends_open
        for preparation in part.preparations:
            self.preparation += (_JOINTS[separator] if self.preparation else "") + preparation
            separator = ","
        for note in part.notes:
            self._add_note("," if part.name else separator, note)
            separator = ","

    def _add_note(self, separator: str, text: str) -> None:
        if separator != "," and self.notes:
            self.notes[-1] += _JOINTS[separator] + text
        else:
            self.notes.append(text)


def _share(main: list[str], other: list[str]) -> str:
    """The other name in full: after "bawang merah", "putih" is bawang putih, but "gula" is no "bawang gula"."""
    if len(other) == 1 and len(main) > 1 and not is_staple(other[0]):
        for head in (main[:-1], main[:1]):
            whole = fold(" ".join([*head, *other])).split()
            if _match(_LEXICON.known, whole, 0)[0] == len(whole):
                return " ".join([*head, *other])
    return " ".join(other)


def _names(words: list[str]) -> list[str]:
    """One name, or several that stand side by side without a comma: "garam gula"."""
    folded = [fold(word) for word in words]
    names, at = [], 0
    while at < len(folded):
        size, _ = _match(_LEXICON.known, folded, at)
        if not size or (size == 1 and folded[at] not in _LEXICON.joinable):
            break
        names.append(" ".join(words[at : at + size]))
        at += size
    return names if at == len(words) else [" ".join(words)]


# ---------------------------------------------------------------------------------------------------------- headings


def _is_heading(words: list[str]) -> bool:
    """Whether words without a quantity name a group of ingredients: "bumbu yang dihaluskan"."""
    headings = _LEXICON.headings
    first, rest = words[0], words[1:]
    if first in headings["always"] or first in headings["purpose"]:
        return True
    if first in headings["label"] or first in headings["maybe"]:
        return all(word.partition("-")[0] in headings["with"] or word.isdigit() for word in rest)
    return first in headings["alone"] and not rest


def _label(text: str) -> tuple[str | None, str]:
    """Takes off a heading: ("bumbu halus", "") for a whole line, ("taburan", "bawang goreng") before an ingredient."""
    first = found[0] if (found := _TOKEN.match(text)) else ""
    if first[:1].isdigit() or (":" not in text and first not in _LEXICON.openers):
        return None, text
    head, colon, tail = text.partition(":")
    words = _TOKEN.findall(head)
    if not words or _match(_LEXICON.amounts, words, 0)[0]:
        return None, text
    if first in _LEXICON.words["comment"]:
        return text, ""
    if (colon and not tail.strip()) or _is_heading(words):
        return head, tail
    return (first, text[len(first) :]) if first in _LEXICON.headings["label"] else (None, text)


def _group(label: str) -> str | None:
    words = [word for word in _TOKEN.findall(label) if word not in _LEXICON.separators]
    return None if not words or words[0] in _LEXICON.words["comment"] else " ".join(words)


# ------------------------------------------------------------------------------------------------------------ public


def parse_ingredient(raw: str) -> Ingredient:
    """Reads one line. Any text gives an ``Ingredient``; a line that names no ingredient is a heading."""
    outside, inside = _brackets(_normalise(raw))
    label, rest = _label(outside)
    line = _Line()
    for part in _parts(rest):
        line.add(*part)
    if label is None and not line.main.name and inside:  # "3 siung (bawang putih)"
        for part in _parts(inside.pop(0)):
            line.add(*part)
    main = line.main
    if not main.name:
        return Ingredient(raw, None, heading=True, group=_group(outside if label is None else label))
    for aside in inside:
        line.add_aside(aside)
    name, *more = _names(main.name)
    return Ingredient(
        raw=raw,
        name=name,
        quantity=main.quantity,
        unit=main.unit,
        preparation=line.preparation or None,
        note=", ".join(line.notes) or None,
        optional=main.optional,
        alternatives=tuple(line.alternatives),
        others=(*more, *line.others),
        group=None if label is None else _group(label),
    )


def parse_ingredients(lines: Iterable[str]) -> tuple[Ingredient, ...]:
    """Reads a recipe's lines in order, headings included; each ingredient gets the group of the heading above it."""
    group: str | None = None
    read = []
    for line in lines:
        ingredient = parse_ingredient(line)
        if ingredient.heading:
            group = ingredient.group or group
        elif ingredient.group is None and group:
            ingredient = replace(ingredient, group=group)
        read.append(ingredient)
    return tuple(read)
