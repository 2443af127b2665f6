"""From a raw ingredient line to plain words: normalised, freed of brackets and headings, cut into parts."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from koki.ingredients.amounts import FIGURES
from koki.ingredients.lexicon import LEXICON, is_known, is_staple, match, role_of
from koki.markup import has_markup, without_markup

MAX_CHARS: Final = 1000
"""Characters of a line that are read; the rest of it is left out."""


def _token(letter: str) -> re.Pattern[str]:
    return re.compile(rf"{letter}+(?:['’*-]{letter}+)*|{FIGURES}|[-,;/+&=.:]")


_TOKEN: Final = _token(r"[^\W\d_]")
_ASCII_TOKEN: Final = _token("[a-z]")  # the same for lower-case ASCII, in two thirds of the time
_DOUBLED: Final = re.compile(r"\b(di|)([^\W\d_]{3,})2(?![0-9]|[.,/][0-9])(an|nya|kan)?")  # "diiris2" -> "diiris-iris"
_DITTO: Final = re.compile(r"(?<=[^\W\d_]{3})\s?[\"”“″]")  # 'potong"': the sign for "the same once more"
_HYPHENATED: Final = re.compile(r"\b([^\W\d_]{3,})(?:\s-\s?|-\s)\1\b")  # "potong - potong"
# "bw.merah", "rp. 2.000"
_ABBREVIATED: Final = re.compile(
    rf"\b([^\W\d_]{{1,3}})\.(?=\s?[^\W\d_])|\b({'|'.join(LEXICON.words['price_sign'])})\.(?=\s?[0-9])"
)
_POINT_FIVE: Final = re.compile(
    r"(?<![^\s(])\.(?=(?:5|25|75|33|66|67|125)0*\b)"
)  # ".5" is a half; ".2" is a bullet and two
_NUMBERED: Final = re.compile(r"\(?[0-9]{1,2}(?:\)\s*|\.\s+)(?=[^\W\d_])")  # "1) garam"
_LINK: Final = re.compile(r"https?://\S*|www\.\S*")
_NOISE: Final = re.compile(r"[^a-z0-9 \w\s.,;:/+&()\[\]{}=%'’*~-]")  # a-z0-9 are among \w, but sooner found
_BRACKET: Final = re.compile(r"([(\[{)\]}])")


def normalise(raw: str) -> str:
    """Lower case; plain digits and letters; "iris2" and "iris²" are "iris-iris"; no links, emoji or bullets."""
    text = raw.lstrip()[:MAX_CHARS]
    if has_markup(text):
        text = without_markup(text).strip()
    if ('"' in text or not text.isascii()) and sum(map(text.count, '"”“″')) == 1:
        text = _DITTO.sub("2", text)
    if not text.isascii():
        text = re.sub(r"(?<=[^\W\d_])\s?[²₂]", "2", text)
        text = re.sub(r"(?<=[0-9])(?=[¼-¾⅐-⅞])", " ", text)
        text = re.sub("[–—−]", "-", unicodedata.normalize("NFKD", text).replace("⁄", "/"))
        text = "".join(sign for sign in text if not unicodedata.combining(sign))
    text = text.lower()
    if "://" in text or "www." in text:
        text = _LINK.sub(" ", text)
    text = _NOISE.sub(" ", text.replace("_", " ")).replace(" u/", " untuk ").replace(" d'", " di ")
    if "2" in text:
        text = _DOUBLED.sub(r"\1\2-\2\3", text)
    if "-" in text:
        text = _HYPHENATED.sub(r"\1-\1", text)
    if "." in text:
        text = _ABBREVIATED.sub(lambda found: f"{found[1] or found[2]} ", text)
    if "." in text:
        text = _POINT_FIVE.sub("0.", text)
    text = text.strip(" \t\r\n.,;*-+/&='’~")
    return text[found.end() :] if (found := _NUMBERED.match(text)) else text


def take_brackets(text: str) -> tuple[str, list[str]]:
    """The text outside brackets and the texts inside; an unclosed bracket runs to the end, a stray one is dropped."""
    if not _BRACKET.search(text):
        return text, []
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


def split_parts(text: str) -> Iterator[tuple[str, list[str]]]:
    """The words between separators, and the kind of separator before them: ",", "and" or "or"."""
    before, words = ",", list[str]()
    separators = LEXICON.separators
    for token in (_ASCII_TOKEN if text.isascii() else _TOKEN).findall(text):
        kind = separators.get(token)
        if kind is None and words and words[-1] == token and role_of(token) in ("verb", "manner", "size"):
            words[-1] = f"{token}-{token}"  # "potong potong"
        elif kind is None:
            words.append(token)
        elif kind:
            if words:
                yield before, words
                words = []
            before = kind
    if words:
        yield before, words


# ----------------------------------------------------------------------------------------------------------- headings


def take_label(text: str) -> tuple[str | None, str]:
    """Takes off a heading: ("bumbu halus", "") for a whole line, ("taburan", "bawang goreng") before an ingredient."""
    if text[:1] in "0123456789":  # most lines: a quantity heads nothing
        return None, text
    first = found[0] if (found := _TOKEN.match(text)) else ""
    if first[:1].isdigit() or (":" not in text and first not in LEXICON.openers):
        return None, text
    head, colon, tail = text.partition(":")
    words = _TOKEN.findall(head)
    if not words or match(LEXICON.amounts, words, 0)[0]:
        return None, text
    if first in LEXICON.words["comment"]:
        return text, ""
    if (colon and (not tail.strip() or _heads(head, tail))) or _is_heading(words):
        return head, tail
    return (first, text[len(first) :]) if first in LEXICON.headings["label"] else (None, text)


def _heads(head: str, tail: str) -> bool:
    """Whether words before a colon head what follows: "kuah cuko: gula, cuka", but not "cabai: 5 buah"."""
    if "," in head or is_staple(head) or role_of(head.split()[0]) in ("verb", "manner"):
        return False
    return names_several(tail) or (not is_known(head) and begins_measured(tail))


def names_several(text: str) -> bool:
    """Whether several foods are named, with commas between them."""
    return sum(is_known(" ".join(words)) or _measured(words) for kind, words in split_parts(text) if kind == ",") > 1


def begins_measured(text: str) -> bool:
    """Whether a known food with its quantity stands first."""
    return _measured(next(split_parts(text), (",", [""]))[1])


def _measured(words: list[str]) -> bool:
    return words[0][:1].isdigit() and any(map(is_known, words[1:3]))


def _is_heading(words: list[str]) -> bool:
    """Whether words without a quantity name a group of ingredients: "bumbu yang dihaluskan"."""
    headings = LEXICON.headings
    first, rest = words[0], words[1:]
    if first in headings["always"] or first in headings["purpose"]:
        return True
    if first in headings["label"] or first in headings["maybe"]:
        return all(word.partition("-")[0] in headings["with"] or word.isdigit() for word in rest)
    return first in headings["alone"] and not rest


def group_of(label: str) -> str | None:
    """The words of a heading; None for a comment, which heads nothing."""
    words = [word for word in _TOKEN.findall(label) if word not in LEXICON.separators]
    return None if not words or words[0] in LEXICON.words["comment"] else " ".join(words)
