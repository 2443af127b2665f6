"""One part of an ingredient line, read word by word: quantity, unit, name, preparations, remarks."""

from itertools import pairwise
from typing import Final

from koki.ingredients.amounts import Quantity, is_price, read_quantity
from koki.ingredients.lexicon import (
    LEXICON,
    is_enough,
    is_known,
    match,
    may_measure,
    may_precede_name,
    near_unit,
    respell,
    role_of,
    stays,
    unglue,
)

# "setengah" before one of these is no number: "setengah beku", "setengah matang".
_HALF_DONE: Final = ("size", "verb", "manner")


class Part:
    """What one part of a line says."""

    __slots__ = ("amount_behind", "ends_open", "name", "notes", "optional", "preparations", "quantity", "rest", "unit")

    def __init__(self) -> None:
        self.quantity: Quantity | None = None
        self.unit: str | None = None
        self.amount_behind = False  # "gula secukupnya", not "secukupnya gula"
        self.name: list[str] = []
        self.preparations: list[str] = []
        self.notes: list[str] = []
        self.optional = False
        self.rest: list[str] = []  # words of a further part: "2 lembar salam 1 batang serai"
        self.ends_open = False  # its last word is the object of a preparation or remark, which "dan" may go on with

    def amount(self) -> str:
        """Quantity and unit as text."""
        numbers = self.quantity if isinstance(self.quantity, tuple) else (self.quantity,)
        figures = "-".join(f"{number:g}" for number in numbers if number is not None)
        return f"{figures} {self.unit or ''}".strip()


def read_part(words: list[str], leading: bool) -> Part:
    """Reads the words of one part; ``leading`` says that the line has no name yet."""
    return _Reader(list(words), leading).read()  # a copy: the reader mends words on its way


class _Reader:
    """Reads one part, word by word.

    ``mode`` says where a plain word goes: to the "name", to the open "preparation" or "note", or, when the name is
    over ("after"), to a new note.
    """

    __slots__ = ("at", "leading", "mode", "open", "part", "short", "words")

    def __init__(self, words: list[str], leading: bool) -> None:
        self.words, self.leading, self.at = words, leading, 0
        self.part = Part()
        self.mode = "name"
        self.open: list[str] = []
        self.short = False  # the open note ends at the next preparation

    def read(self) -> Part:
        part = self.part
        while self.at < len(self.words):
            word = self.words[self.at]
            if word[0] in "0123456789":
                self._read_digits(word)
            elif not (may_measure(word) and (self._read_number(word) or self._read_amount(word))):
                self._read_word(word)
        part.ends_open = bool(self.open) and not role_of(self.open[-1])
        self._close()
        part.name = respell(" ".join(part.name)).split()
        return part

    def _word(self, at: int) -> str:
        return self.words[at] if at < len(self.words) else ""

    def _take(self, into: list[str], count: int = 1) -> None:
        into += self.words[self.at : self.at + count]
        self.at += count

    def _close(self, mode: str | None = None) -> None:
        """Ends the open preparation or note, and goes on in ``mode``."""
        words, self.open = self.open, []
        while words and role_of(words[-1]) == "filler":
            words.pop()
        if words and self.mode == "preparation":
            self.part.preparations.append(" ".join(words))
        elif words:
            self._note(words)
        self.mode = mode or self.mode

    def _note(self, words: list[str]) -> None:
        optional, nothing_else = _says_optional(words)
        self.part.optional |= optional
        if not nothing_else:
            self.part.notes.append(" ".join(words))

    # ---- quantities

    def _unit(self, at: int) -> tuple[int, str]:
        return match(LEXICON.units, self.words, at) if at < len(self.words) else (0, "")

    def _unit_after_number(self, at: int) -> tuple[int, str]:
        """A unit, also glued to the name ("buahTomat") or misspelt before a known one ("aiung bawang")."""
        if at >= len(self.words) or self._is_tool(at):
            return 0, ""
        size, unit = self._unit(at)
        if size:
            return size, unit
        if glued := unglue(self.words[at]):
            self.words[at : at + 1] = glued
            return self._unit(at)
        if at + 1 < len(self.words) and is_known(self.words[at + 1]):
            near = near_unit(self.words[at])
            return (1, near) if near else (0, "")
        return 0, ""

    def _is_tool(self, at: int) -> bool:
        """Whether what looks like unit and food is neither: "20 tusuk sate"."""
        size, _ = match(LEXICON.tools, self.words, at)
        return size > 0 and (at + size == len(self.words) or bool(role_of(self.words[at + size])))

    def _read_digits(self, text: str) -> None:
        size, unit = self._unit_after_number(self.at + 1)
        following = self._word(self.at + 1)
        if following in LEXICON.words["price"]:
            self._remark(2)
        elif not size and is_price(text) and self.mode in ("name", "after"):
            self._remark(1)
        elif not self._is_amount(unit):
            self._take(self.open, 1 + size)
        elif self.part.quantity is not None:
            self._read_second_quantity(1 + size)
        else:
            self._close("after" if self.part.name else "name")
            quantity = read_quantity(text, unit)
            half = LEXICON.numbers.get(following, 1)
            if half < 1 and isinstance(quantity, float):  # "1 setengah"
                quantity, size, unit = quantity + half, *self._unit(self.at + 2)
                self.at += 1
            self.at += 1 + size
            self._set_quantity(quantity, unit)

    def _read_second_quantity(self, count: int) -> None:
        """Starts a further part where a known name follows, else takes a remark: "1 kg ayam 1 ekor"."""
        following = self.words[self.at + count : self.at + count + 1]
        if self.part.name and count > 1 and following and is_known(following[0]):
            self.part.rest, self.words = self.words[self.at :], self.words[: self.at]
        else:
            self._remark(count)

    def _is_amount(self, unit: str) -> bool:
        """Whether a number here is the ingredient's, and not part of what is open."""
        if self.mode == "note":  # "ukuran sedang 2 siung"
            return self.open[:1] != [] and self.open[0] in LEXICON.words["size_label"] and self._counts(unit)
        return self.mode != "preparation" or self._counts(unit)

    def _counts(self, unit: str) -> bool:
        """Whether a number after a preparation is the ingredient's: "potong dadu 1 papan", not "potong 2 cm"."""
        return self.part.quantity is None and bool(unit) and unit not in LEXICON.words["pieces"]

    def _remark(self, count: int) -> None:
        self._note(self.words[self.at : self.at + count])
        self.at += count

    def _set_quantity(self, quantity: Quantity, unit: str) -> None:
        if self.part.unit:
            self._note([self.part.unit])
        self.part.quantity, self.part.unit = quantity, unit or None
        self.part.amount_behind = bool(self.part.name)
        again, second = self._unit(self.at)
        if unit and (second in LEXICON.words["bare_units"] or self._is_empty(second, self.at + again)):
            self.at += again  # "3 cm ruas jahe"

    def _is_empty(self, unit: str, at: int) -> bool:
        """Whether a second unit says nothing: "3 biji buah tomat"."""
        return unit in LEXICON.words["empty_units"] and at < len(self.words) and is_known(self.words[at])

    def _read_number(self, word: str) -> bool:
        """Takes "setengah", "dua", or "se" with a unit: "seruas", "sebungkus"."""
        if self.mode in ("preparation", "note"):
            return False
        if self.part.quantity is not None:
            return self._read_second_number(word)
        count, value = self._spelt_number()
        if count:
            size, unit = self._unit(self.at + count)
            following = self._word(self.at + count)
            if not size and following and (self.part.name or (value < 1 and role_of(following) in _HALF_DONE)):
                return False
            self.at += count + size
        elif word.startswith("se") and not role_of(word):
            value = 1.0
            size, unit = match(LEXICON.units, [word[2:], *self.words[self.at + 1 : self.at + 4]], 0)
            if not size:
                return False
            self.at += size
        else:
            return False
        self._set_quantity(value, unit)
        return True

    def _spelt_number(self) -> tuple[int, float]:
        """How many words spell a number here, and which: "dua", "dua puluh lima", "satu setengah"."""
        numbers, end = LEXICON.numbers, self.at + 1
        value = numbers.get(self._word(self.at), 0.0)
        if 1 <= value < 10:
            scale = LEXICON.scales.get(self._word(end), 0.0)
            more = numbers.get(self._word(end + 1), 0.0) if scale else 10.0
            if self._word(end) in LEXICON.words["teen"]:
                value, end = value + 10, end + 1
            elif scale:
                counted = 1 <= more < 10
                value, end = value * scale + more * counted, end + 1 + counted
        if value >= 1 and 0 < (half := numbers.get(self._word(end), 0.0)) < 1:
            value, end = value + half, end + 1
        return (end - self.at if value else 0), value

    def _read_second_number(self, word: str) -> bool:
        """Takes "se" with a unit behind a name that has its quantity for a remark: "3 bandeng sekilo"."""
        if not self.part.name or not word.startswith("se") or role_of(word):
            return False
        size, _ = match(LEXICON.units, [word[2:], *self.words[self.at + 1 : self.at + 4]], 0)
        if size:
            self._remark(size)
        return bool(size)

    def _read_amount(self, word: str) -> bool:
        """Takes "secukupnya", "sesuai selera", "sedikit"."""
        size, amount = match(LEXICON.amounts, self.words, self.at)
        if not size and is_enough(word):
            size, amount = 1, "secukupnya"
        if not size or self._belongs_inside(amount):
            return False
        self._close("after" if self.part.name else "name")
        self.at += size
        self.part.amount_behind = bool(self.part.name)
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
        role = role_of(word)
        if word in ("di", "d") and self.at + 1 < len(self.words) and role_of(self.words[self.at + 1]) == "verb":
            self.at += 1
            self.words[self.at] = "di" + self.words[self.at]
            role = "verb"
        if self.mode in ("name", "after"):
            if role == "note" and word in LEXICON.words["price_sign"] and self._word(self.at + 1)[:1].isdigit():
                self._remark(3 if self._word(self.at + 2) in LEXICON.words["price"] else 2)
            elif self.part.name:
                self._after_name(word, role)
            elif not (may_precede_name(self.words[self.at]) and self._before_name(word, role)):
                self._begin_name(word, role)
        elif self.mode == "preparation" and (
            role == "optional" or (role == "note" and word not in LEXICON.words["inside_preparation"])
        ):
            self._open_note(word)
        elif self.mode == "note" and role in ("verb", "manner") and self._note_may_end():
            self._open_preparation()
        else:
            self._take(self.open)

    def _note_may_end(self) -> bool:
        if all(word in LEXICON.words["speaker"] for word in self.open):
            self.open = []  # "saya iris tipis": how, not a remark
            return True
        return self.short

    def _open_preparation(self) -> None:
        self._close("preparation")
        self._take(self.open)

    def _open_note(self, word: str) -> None:
        is_size = word in LEXICON.words["size_label"]
        self._close("note")
        self.short = is_size or word in LEXICON.words["short_note"]
        self._take(self.open)
        while is_size and self.at < len(self.words) and role_of(self.words[self.at]) in ("size", "filler"):
            self._take(self.open)
        if is_size and not self.part.name and len(self.open) > 1:
            self._close("name")  # "ukuran kecil tempe"

    def _after_name(self, word: str, role: str) -> None:
        if self.mode == "name" and (not role or stays(word, self.part.name)):
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
        size, _ = match(LEXICON.approximately, self.words, self.at)
        if size and rest >= size and self.words[self.at + size][0].isdigit():
            self.at += size
        elif role == "filler" or (rest and word in LEXICON.words["empty"]) or self._is_empty(word, self.at + 1):
            self.at += 1
        elif role == "size" and (rest or not self.leading or self.part.preparations):
            self._remark(1)
        elif (found := match(LEXICON.before_name, self.words, self.at)[0]) and self._may_follow(self.at + found):
            self.part.preparations.append(" ".join(self.words[self.at : self.at + found]))
            self.at += found
        elif rest and not self.part.unit and (unit := self._unit(self.at))[1] in LEXICON.words["bare_units"]:
            self.at, self.part.unit = self.at + unit[0], unit[1]
        else:
            return role in ("note", "optional") and self._skip_if_liked()
        return True

    def _may_follow(self, at: int) -> bool:
        """Whether a name may start at ``at``: in the first part any word, later a known ingredient."""
        return at < len(self.words) and (self.leading or is_known(self.words[at]))

    def _begin_name(self, word: str, role: str) -> None:
        size, _ = match(LEXICON.known, self.words, self.at)
        if size > 1:  # whatever its words do elsewhere: "agar agar"
            self._take(self.part.name, size)
        elif role == "optional" or (
            role == "note"
            and not (self.leading and (word in LEXICON.spelling or word in LEXICON.known))
            and not self._is_measured_use(word)
        ):
            if self._is_aside():
                self._remark(1)
            else:
                self._open_note(word)
        elif role in ("verb", "manner"):
            if not self._leading_preparation():
                self._open_preparation()
        else:
            self._take(self.part.name)

    def _is_measured_use(self, word: str) -> bool:
        """Whether a word that heads ingredients is here part of what is measured: "2 sdm topping ayam"."""
        following = self._word(self.at + 1)
        is_named = bool(following) and not role_of(following)
        heads = word in LEXICON.headings["label"] and word not in LEXICON.words["aside"]
        return self.part.quantity is not None and is_named and heads

    def _is_aside(self) -> bool:
        """Whether a word that opens a remark is one by itself before the line's name: "2 ons campuran daging"."""
        word, *following = self.words[self.at : self.at + 2]
        return self.leading and word in LEXICON.words["aside"] and is_known("".join(following))

    def _skip_if_liked(self) -> bool:
        """Takes "bila suka", "boleh ditambah" and the like before a known name."""
        words, end = LEXICON.words, self.at
        while end < len(self.words) and (
            self.words[end] in words["optional_around"] or self.words[end] in words["add"]
        ):
            end += 1
        said = self.words[self.at : end]
        opens = any(word in words["optional_if"] or word in words["optional_may"] for word in said)
        opens = opens or any(word in words["optional"] for word in said[:1])
        if not opens or not self.leading or end == len(self.words) or not is_known(self.words[end]):
            return False
        self.part.optional, self.at = True, end
        return True

    def _leading_preparation(self) -> bool:
        """Takes a preparation of up to three words before a known name or a quantity: "potong dadu wortel"."""
        if not self.leading:
            return False
        for end in range(self.at + 1, min(self.at + 4, len(self.words))):
            if is_known(self.words[end]) or self.words[end][0].isdigit():
                self.part.preparations.append(" ".join(self.words[self.at : end]))
                self.at = end
                return True
        return False


def _says_optional(words: list[str]) -> tuple[bool, bool]:
    """Whether a remark says that the ingredient may be left out, and whether it says nothing else."""
    lexicon = LEXICON.words
    says = (
        any(word in lexicon["optional"] for word in words)
        or any(a in lexicon["optional_may"] and b in lexicon["optional_without"] for a, b in pairwise(words))
        or (
            any(a in lexicon["optional_if"] and b in lexicon["optional_wish"] for a, b in pairwise(words))
            and not any(word in lexicon["more_or_less"] for word in words)
        )
    )
    return says, says and all(word in lexicon["optional_around"] or word in lexicon["optional"] for word in words)
