"""Forms of question and sentences of the phrasebook, filled."""

from collections.abc import Iterable
from functools import cache

from koki.dialogue.phrasebook import Question


def trained(questions: Iterable[Question]) -> list[Question]:
    """The forms that are trained on, in order."""
    return [question for question in questions if not question.held_out]


def ask(form: str, **words: str) -> str:
    """Fill a question; one typed in lower case has its dish in lower case too, as on a phone."""
    if _is_low(form):
        words = {name: word.lower() for name, word in words.items()}
    return form.format(**words)


def say(form: str, **words: str) -> str:
    """Fill a sentence of an answer; it starts with a capital whatever stands first."""
    sentence = form.format(**words)
    return sentence[:1].upper() + sentence[1:]


@cache
def _is_low(form: str) -> bool:
    return form == form.lower()
