"""A field of a recipe file -> clean text: repair, titles, ingredient lines, steps.

Rules are code; words are in ``cleaning.toml``.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from itertools import groupby
from operator import itemgetter
from string import ascii_lowercase
from typing import Final

import ftfy

from koki.ingredients.lexicon import LEXICON, is_known, role_of
from koki.markup import has_markup, without_markup
from koki.recipes.findings import Oddity
from koki.recipes.items import ONE, STEP_NUMBERS, has_letter, ingredient_items, step_items

_WORDS: Final = tomllib.loads(files(__package__).joinpath("cleaning.toml").read_text(encoding="utf-8"))


def bare(name: str) -> str:
    """A name without case, spaces and punctuation: ``Cara_Membuat`` is ``caramembuat``."""
    return "".join(filter(str.isalnum, name.casefold()))


_MISSING: Final = frozenset(_WORDS["words"]["missing"])


def is_missing(text: str) -> bool:
    """Whether the text only says that there is nothing: "NaN"."""
    return text.strip().casefold() in _MISSING


def _any_of(phrases: Iterable[str]) -> str:
    """A pattern for any of the phrases; a letter may be drawn out ("mencobaaa") and words spaced in any way.

    Each first letter is tried once, and not once a phrase: that takes a third of the time.
    """
    longest_first = sorted(phrases, key=len, reverse=True)
    drawn_out = [[_drawn_out(letter) for letter, _ in groupby(phrase)] for phrase in longest_first]
    by_first_letter = groupby(sorted(drawn_out, key=itemgetter(0)), key=itemgetter(0))  # and the longest first in each
    branches = (f"{first}(?:{'|'.join(''.join(rest) for _, *rest in same)})" for first, same in by_first_letter)
    return f"(?:{'|'.join(branches)})(?!\\w)"


def _drawn_out(letter: str) -> str:
    return r"[\W_]+" if letter == " " else f"{re.escape(letter)}+"


def _cut_start(text: str, beginning: re.Pattern[str]) -> str:
    return text[found.end() :] if (found := beginning.match(text)) else text


# ------------------------------------------------------------------------------------------------------------ repair


def _plain_characters() -> dict[str, str]:
    """Spaces of every width become a space; controls, invisible and private characters go."""
    plain = {"\ufffd": "", "\x85": "\n", "\u2028": "\n", "\u2029": "\n"}
    for character in map(chr, range(0x10000)):
        category = unicodedata.category(character)
        if category == "Zs":
            plain[character] = " "
        elif category in {"Cc", "Cf", "Co", "Cs"} and character not in "\t\n\r\x85":
            plain[character] = ""
    del plain[" "]
    return plain


_PLAIN: Final = _plain_characters()
_UNWANTED: Final = re.compile(f"[{''.join(map(re.escape, _PLAIN))}]")
# What UTF-8 read in another encoding looks like: a letter or sign below U+0500 followed by one beyond ASCII.
# Hardly any correct text does; ftfy judges those that do.
_MAYBE_MOJIBAKE: Final = re.compile(r"[\x80-\u04ff\u2261\u251c][^\x00-\x7f]|[ÂÃ] ")


def repair(text: str) -> tuple[str, list[Oddity]]:
    """The text repaired, and what was lost or wrong in it, for a report.

    Mojibake is undone, markup is decoded, Unicode is composed, spaces and line ends are made plain, and invisible
    characters are removed.
    """
    oddities: list[Oddity] = []
    marked = has_markup(text)
    if text.isascii() and text.isprintable() and not marked:  # nearly all texts are of this kind
        return text, oddities
    if marked:
        text = without_markup(text)
    if not text.isascii():
        text, oddities = _repair_encoding(text)
        text = unicodedata.normalize("NFC", text)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNWANTED.sub(lambda character: _PLAIN[character[0]], text), oddities


def _repair_encoding(text: str) -> tuple[str, list[Oddity]]:
    oddities = [Oddity.UNREADABLE] if "\ufffd" in text else []
    if not _MAYBE_MOJIBAKE.search(text):
        return text, oddities
    repaired = ftfy.fix_encoding(text).replace("â„¢", "™")  # ftfy leaves this where nothing else is broken
    if repaired != text:
        oddities.append(Oddity.WRONG_ENCODING)
    return repaired, oddities


# ------------------------------------------------------------------------------------------------------------- lines

_EMOJI: Final = re.compile(
    "[\u00a9\u00ae\u2122\u20e3\u2300-\u23ff\u2500-\u27bf\u2b00-\u2bff\u3030\u303d\u3297\u3299\ufe00-\ufe0f"
    "\U0001f000-\U0001fbff\U000e0000-\U000e01ef]+"
)
_ARROW: Final = re.compile(r"(?<=[\w)]) ?[》»→⇒➔➜➡►▶⏩]+\ufe0f? ?(?=[\w(])|[》»→⇒]")
_SPACE_BEFORE_MARK: Final = re.compile(r" (?=[.,!?)](?!\d))")
_NUMBER: Final = re.compile(r"\(?(\d{1,2})\s?(?:\.?\)|\.(?!\d))\s*")  # "1." or "(1)", where a line begins
_BARE_NUMBER: Final = re.compile(r"(\d{1,2})\s+(?=[^\W\d])")
_LETTER: Final = re.compile(r"([A-Za-z])[.)]\s+")
_COUNT: Final = [str(number) for number in range(1, 100)]
_BULLETS: Final = " \t-–—•·*>_=~|<"


def _clean_line(text: str) -> str:
    """One line of text without emoji, bullets and superfluous space."""
    text = " ".join(text.split())
    if not text.isascii():
        text = " ".join(_EMOJI.sub(" ", _ARROW.sub(", ", text)).split())
    return _SPACE_BEFORE_MARK.sub("", text).strip(_BULLETS)


# ------------------------------------------------------------------------------------------------------------ titles

_ACRONYMS: Final = frozenset(_WORDS["words"]["acronyms"])
_NO_TITLE: Final = frozenset(map(bare, ["", *_WORDS["words"]["missing"], *_WORDS["words"]["no_title"]]))
_TITLE_PREFIX: Final = re.compile(rf"(?:{_any_of(_WORDS['words']['title_prefixes'])})\s*:?\s*(?=\w)", re.IGNORECASE)
# "117. Ayam Rica", "#45 Sambal Teri", "(3) Soto", "12 - Opor", "005 Ayam"; but "3 Bumbu Ayam" is a dish.
_SERIAL: Final = re.compile(
    r"(?:resep\s*)?(?:(?:#|no\b\.?|nomor\b)\s*\d{1,4}\b\s*[.:)-]*|\(?\d{1,4}\s?(?:\.?\)|[.:](?!\d)|\s[-–]\s)|0\d{1,3}(?=\s))\s*(?=\w)",
    re.IGNORECASE,
)
_PRAISE: Final = frozenset(_WORDS["praise"]["words"])
_WITH_PRAISE: Final = frozenset(_WORDS["praise"]["around"])
_TITLE_BREAK: Final = re.compile(r"\s*(?:[,;:!|~]|\s[-–]\s)\s*")
_TITLE_EDGES: Final = _BULLETS + ".,;:!?/\\&+^…@#"
_EMPTY_BRACKETS: Final = re.compile(r"[(\[{]\s*[)\]}]")


def clean_title(text: str) -> str:
    """The dish: no hashtags, emoji, closing punctuation or the word "Resep". Empty when there is none."""
    if bare(text) in _NO_TITLE:
        return ""
    text = _cut_start(text, _SERIAL)
    before_hashtags = text.split("#", 1)[0]
    title = before_hashtags if has_letter(before_hashtags) else text.replace("#", " ")
    title = _trim(_EMPTY_BRACKETS.sub("", _clean_line(title.replace("*", " "))))
    while (shorter := _without_praise(_without_prefixes(title))) != title:
        title = shorter
    if title.isupper() and len(title) > 3:  # BBQ stays
        title = " ".join(word if bare(word) in _ACRONYMS else word.capitalize() for word in title.split())
    return title if has_letter(title) else ""


def _trim(title: str) -> str:
    """The title without punctuation at either end, and without brackets and quotes there that have no partner."""
    title = title.lstrip(_TITLE_EDGES + ")]}").rstrip(_TITLE_EDGES + "([{")
    for quote in "\"'":
        if title.count(quote) % 2 or (title.count(quote) == 2 and title[0] == title[-1] == quote):
            title = title.strip(quote + _TITLE_EDGES)
    return title


def _without_prefixes(title: str) -> str:
    while prefix := _TITLE_PREFIX.match(title) or _SERIAL.match(title):
        title = title[prefix.end()].upper() + title[prefix.end() + 1 :]
    return title


def _without_praise(title: str) -> str:
    """The title without what only praises the dish before or behind it: "Praktis! Bobor Bayam, Sehat dan Lezat"."""
    breaks = [found.span() for found in _TITLE_BREAK.finditer(title)]
    if not breaks:
        return title
    starts, ends = [0, *(end for _, end in breaks)], [*(start for start, _ in breaks), len(title)]
    parts = [part for part in zip(starts, ends, strict=True) if not _only_praises(title[slice(*part)])]
    dish = title[parts[0][0] : parts[-1][1]] if parts else title
    return _trim(dish) if dish.count("(") == dish.count(")") else title


def _only_praises(text: str) -> bool:
    words = set(map(_squeezed, re.findall(r"\w+", text)))
    return words <= _PRAISE | _WITH_PRAISE and not words.isdisjoint(_PRAISE)


# ------------------------------------------------------------------------------------------------------- ingredients

_GLUED_BULLET: Final = re.compile(r"(?<=[^\s-])- (?=\d)")


def ingredient_lines(text: str, separator: str | None = None) -> list[str]:
    """The lines of an ingredient list, headings included, without bullets and numbering.

    Args:
        separator: as for `ingredient_items`.
    """
    if is_missing(text):
        return []
    text = _without_repetition(text)
    if all(line.lstrip().startswith("-") for line in text.splitlines()):
        text = _GLUED_BULLET.sub("\n", text)
    lines = [line for line in map(_clean_line, ingredient_items(text, separator)) if has_letter(line)]
    lines = _without_labels(lines, _NUMBER) if ONE.search(text) else lines
    return _without_labels(lines, _LETTER) if _are_lettered(lines) else lines


def _without_repetition(text: str) -> str:
    """Some sites give the list twice, the second time without its line breaks; the first one is the list."""
    if "\n" not in text.strip():
        return text
    signs = "".join(text.split())
    half = len(signs) // 2
    if signs[:half] != signs[half:]:
        return text
    ends = [place.end() for place in re.finditer(r"\S", text)]
    return text[: ends[half - 1]]


def _are_lettered(lines: list[str]) -> bool:
    """Whether a line may begin with "a."; few texts have one, and looking takes a third of the time of a match."""
    return any(line[1:2] in (".", ")") for line in lines)


def _without_labels(lines: list[str], label: re.Pattern[str]) -> list[str]:
    """The lines without labels that count them, 1, 2, 3 ... or a, b, c ...; what counts nothing is a quantity."""
    found = [label.match(line) for line in lines]
    said = [it[1].lower().lstrip("0") for it in found if it]
    if len(said) < 2 or said not in (_COUNT[: len(said)], list(ascii_lowercase[: len(said)])):
        return lines
    return [line[it.end() :] if it else line for line, it in zip(lines, found, strict=True)]


# ------------------------------------------------------------------------------------------------------------- steps

_EMOTICON: Final = re.compile(r"(?<!\S)(?:[:;=]-?(?:\)+|[DP])|\^[_.]?\^|<3)(?!\w)")
_EMOTICON_START: Final = re.compile("[:;=^<]")
_HASHTAGS: Final = re.compile(r"(?:#(?<!^#)[A-Za-z]\w*\s*)+$")  # not at the start of a step: there # marks a heading
_LINK: Final = re.compile(r"\W*(?:https?://|www\.)\S+", re.IGNORECASE)
_STEP_NUMBER: Final = re.compile(rf"(?i:(?:{STEP_NUMBERS})\s*\d{{1,2}}\s*[.):=-]+\s*)?(?:{_NUMBER.pattern})?")
_FIRST_WORD: Final = re.compile(r"[\W_]*([^\W_]+)")
_STRAY_COMMA: Final = re.compile(r"(?<=[.!?])\s?[,;]+$")
_REPEATED: Final = re.compile(r"(.)\1+")

_WISHES: Final = _WORDS["sign_offs"]
_WISH: Final = _any_of(_WISHES["phrases"] + _WISHES["chat"])
_ENDING: Final = _any_of(_WISHES["phrases"] + _WISHES["chat"] + _WISHES["sentences"])
_BEFORE: Final = rf"(?:{_any_of(_WISHES['before'])}[\W_]+)*"
# A wish may follow the step without punctuation; an ending must be a sentence of its own.
_SIGN_OFF: Final = re.compile(
    rf"(?:(?:^|(?<=[^\w\s])\s*){_BEFORE}{_ENDING}|\b{_BEFORE}{_WISH})"
    # Atomic: "ibu ibu" is one phrase or two, and trying all ways to read forty of them would never end.
    rf"(?>(?:[\W_]+(?:{_ENDING}|{_any_of(_WISHES['after'])}))*)[\W_]*$",
    re.IGNORECASE,
)

_WISH_HINTS: Final = ("lamat", "lamet", "lamaa", "moga")  # "selamat ...", "semoga ...": few texts have any
_HINTED: Final = [wish for wish in _WISHES["phrases"] if any(hint in wish for hint in _WISH_HINTS)]
_WISH_WITHIN: Final = re.compile(
    rf"\b(?:{_any_of(_WISHES['before'])}[\W_]+){{0,2}}{_any_of(_HINTED)}"
    rf"(?>(?:[\W_]+(?:{_ENDING}|{_any_of(_WISHES['after'])}))*)[^\w(]*",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[^\W\d_]+|[0-9]+")
_LOOSE: Final = " ,;:&-(~#*_"  # what stands between what is kept and what was cut off


def clean_steps(text: str, separator: str | None = None) -> list[str]:
    """The steps, without numbering, emoticons, hashtags, sign-offs ("Selamat mencoba"), chatter and pure links.

    Args:
        separator: as for `step_items`.
    """
    if is_missing(text):
        return []
    items = step_items(text, separator)
    if _EMOTICON_START.search(text):  # one text in nine; looking once is cheaper than trying each step
        items = [_EMOTICON.sub(" ", item) for item in items]
    steps = [step for step in map(_clean_step, items) if step]
    if _may_wish(text):  # one text in twenty
        steps = [step for step in map(_without_wish, steps) if step]
    if steps and _BARE_NUMBER.match(steps[0]) and all(map(_BARE_NUMBER.match, steps)):  # "1) 1 Tumis bawang"
        steps = _without_labels(steps, _BARE_NUMBER)
    return _without_labels(steps, _LETTER) if _are_lettered(steps) else steps


def _may_wish(text: str) -> bool:
    folded = text.casefold()
    return any(hint in folded for hint in _WISH_HINTS)


def _clean_step(text: str) -> str:
    """One step; empty when nothing to do is left."""
    step = _clean_line(text)
    if "#" in step:
        step = _cut_end(step, _HASHTAGS)
    step = _cut_start(step, _STEP_NUMBER)
    if step.endswith((",", ";")):
        step = _STRAY_COMMA.sub("", step)
    last_word = _FIRST_WORD.match(step[:-60:-1])  # backwards from the end
    if last_word and _squeezed(last_word[1][::-1]) in _LAST_WORDS:  # seldom true, and cheaper than to search
        step = _cut_end(step, _SIGN_OFF)
    return step if has_letter(step) and not _LINK.fullmatch(step) else ""


def _without_wish(step: str) -> str:
    """The step without a wish within it, and without what the wish goes on to say if that is nothing to do."""
    found = _WISH_WITHIN.search(step) if _may_wish(step) else None
    if not found:
        return step
    before, rest = _close(step[: found.start()].rstrip(_LOOSE), found[0]), step[found.end() :]
    if not any(map(_is_advice, _WORD.findall(rest.lower()))):
        return before
    return f"{before} {rest}" if before else step


def _is_advice(word: str) -> bool:
    """Whether the word tells what to do, with what, or how much."""
    is_step = role_of(word) in {"verb", "manner"} or word in LEXICON.words["add"]
    return is_step or word.isdigit() or is_known(word)


def _cut_end(step: str, ending: re.Pattern[str]) -> str:
    """The step without the ending; only its last 200 characters are searched, however long it is."""
    found = ending.search(step, max(0, len(step) - 200))
    return _close(step[: found.start()].rstrip(_LOOSE), found[0]) if found else step


def _close(step: str, cut: str) -> str:
    """The step with the bracket closed that what was cut off had closed."""
    return f"{step})" if ")" in cut and step.count("(") > step.count(")") else step


@lru_cache(maxsize=16384)
def _squeezed(word: str) -> str:
    """``Mencobaaa`` -> ``mencoba``."""
    return _REPEATED.sub(r"\1", word.casefold())


_LAST_WORDS: Final = frozenset(_squeezed(phrase.split()[-1]) for kind in _WISHES.values() for phrase in kind)
