"""What is answered by program, whatever a model would say: dangers and allergies, and small talk word for word.

A small model, asked what is safe for somebody allergic to prawns, may say prawns. Where a question has a phrase of
``always`` in the TOML files it gets that entry's answer. Small talk leaves a model too few words to go by.
"""

import re
from collections.abc import Iterable
from functools import cache
from itertools import chain
from typing import Final

from koki.dialogue.phrasebook import Refusal, Tip, load_refusals, load_tips

_WORD: Final = re.compile(r"\w+")


def certain_answer(question: str) -> str | None:
    """The answer that does not depend on a model; None where there is none. Of several phrases the longest counts."""
    said = _plain(question)
    return _small_talk()[said] if said in _small_talk() else _warning(said)


def is_warning(question: str) -> bool:
    """Whether the certain answer to a question is about what harms."""
    said = _plain(question)
    return said not in _small_talk() and _warning(said) is not None


def _warning(said: str) -> str | None:
    found = [phrase for phrase in _phrases() if f" {phrase} " in f" {said} "]
    return _phrases()[max(found, key=len)] if found else None


def _plain(text: str) -> str:
    """The words of a text in lower case; of a text without words its signs."""
    return " ".join(_WORD.findall(text.lower())) or text.strip()


@cache
def _phrases() -> dict[str, str]:
    entries: Iterable[Tip | Refusal] = chain(load_tips(), load_refusals())
    return {phrase: entry.answer for entry in entries for phrase in entry.always}


@cache
def _small_talk() -> dict[str, str]:
    """The questions of all small talk, plain -> their answer."""
    entries = [entry for entry in load_refusals() if not entry.declines]
    return {_plain(question): entry.answer for entry in entries for question in (*entry.questions, entry.held_out)}
