"""Whether a text mentions a term, and whether it speaks for it: the grammar of negations and replacements.

The words are in ``words.toml``.
"""

import re
from collections.abc import Iterator
from typing import Final

from koki.evaluation.words import WORDS
from koki.ingredients.lexicon import fold

# In words of a clause.
_NEGATION_REACHES: Final = 3
_NEGATIONS: Final = frozenset(WORDS["negations"]["words"])
_NOT_NEGATIONS: Final = re.compile(rf"\b(?:{'|'.join(WORDS['negations']['not_these'])})\b")
_NOT: Final = "|".join(WORDS["negations"]["words"])
_VERBS: Final = "|".join(WORDS["replacements"]["verbs"])
_PASSIVE: Final = "|".join(WORDS["replacements"]["passive"])
_INSTEAD_OF: Final = "|".join(WORDS["replacements"]["instead_of"])
_BY: Final = "|".join(WORDS["replacements"]["by"])
_MAY: Final = "|".join(WORDS["replacements"]["may"])
_ANEW: Final = "|".join(WORDS["replacements"]["anew"])
# What stands before a thing: "jangan ganti", "susu bisa diganti dengan", "pengganti".
_REPLACING: Final = re.compile(
    rf"\b(?P<not>(?:{_NOT}) )?(?:(?:{_MAY}) )*(?:(?P<verb>{_VERBS})|(?P<passive>{_PASSIVE})|(?:{_INSTEAD_OF}))\b"
    rf"(?P<by>.*\b(?:{_BY})\b)?"
)
_BY_FOLLOWS: Final = re.compile(rf"(?:\w+ ){{0,3}}(?:{_BY})\b")
# What stands after a thing: "tidak dipakai", "kental bisa diganti".
_AFTER: Final = re.compile(
    rf"(?:{'|'.join(WORDS['negations']['after'])})\b(?! (?:{_PASSIVE})\b)"
    rf"|(?:(?!(?:{_NOT}|{_ANEW})\b)\w+ )?(?:(?:{_MAY}) )*(?:{_PASSIVE})\b"
)
_OR: Final = "|".join(WORDS["negations"]["or"])
# "tanpa garam, gula, atau santan", or without the commas "tanpa garam atau santan": a negation, then things of two
# words at most.
_NEITHER: Final = re.compile(rf"\b({_NOT})((?: \w+){{1,4}}(?:(?:, \w+(?: \w+)?)+,)?) (?:{_OR}) ")
_CLAUSE_END: Final = re.compile(r"[;:!?\n()]+|[.,](?!\d)")  # a number may have a comma


def can_be_mentioned(term: str) -> bool:
    """Whether any text can mention a term: none can where the term goes on after the end of a clause."""
    return mentions(term, term)


def mentions(text: str, term: str) -> bool:
    """Whether the words of a term stand in a text, spelling folded: "santannya" mentions santan."""
    return any(True for _ in _mentions(text, term))


def speaks_for(text: str, term: str) -> bool:
    """Whether a text mentions a term other than to say that the thing is left out or replaced.

    "tanpa santan", "tidak pakai santan", "jangan diberi gula atau santan", "santan tidak dipakai" and "ganti santan
    dengan susu" do not speak for santan; "jangan lupa santan", "santan tidak pecah" and "ganti susu dengan santan" do.
    """
    told_apart = _NEITHER.sub(_each_negated, text.lower())
    return any(not _is_left_out(before, after) for before, after in _mentions(told_apart, term))


def _is_left_out(before: str, after: str) -> bool:
    """Whether what stands around a mention says that the thing is left out or replaced."""
    *_, replacing = None, *_REPLACING.finditer(before)
    if replacing:
        before = before[replacing.end() :]
        is_near = len(before.split()) < _NEGATION_REACHES
        if is_near and _is_replaced(replacing, after) != bool(replacing["not"]):
            return True
    words = _NOT_NEGATIONS.sub(" ", before).split()[-_NEGATION_REACHES:]
    return not _NEGATIONS.isdisjoint(words) or _AFTER.match(after) is not None


def _is_replaced(replacing: re.Match[str], after: str) -> bool:
    """Whether the thing is what is replaced, rather than what replaces it."""
    if replacing["by"]:
        return False
    if replacing["passive"]:  # "susu diganti santan", but "bisa diganti santan dengan susu"
        return replacing.start() == 0 and _BY_FOLLOWS.match(after) is not None
    return not replacing["verb"] or bool(replacing["not"]) or _BY_FOLLOWS.match(after) is not None


def _mentions(text: str, term: str) -> Iterator[tuple[str, str]]:
    """For each mention, the text before and after it in its clause."""
    folded_term = fold(term).strip()
    if not any(map(str.isalnum, folded_term)):
        return
    wanted = re.compile(rf"(?<!\S){re.escape(folded_term)}(?:nya)?(?!\S)")
    for clause in _CLAUSE_END.split(text.lower()):
        folded = fold(clause)
        for found in wanted.finditer(folded):
            yield folded[: found.start()], folded[found.end() :].lstrip()


def _each_negated(neither: re.Match[str]) -> str:
    """Repeat the negation before each thing: "tanpa garam, gula, atau " -> "tanpa garam tanpa gula tanpa "."""
    negation, things = neither.groups()
    return " ".join(f"{negation} {thing.strip()}" for thing in [*filter(None, things.split(",")), ""])
