"""Names that a form of the phrasebook was filled with, read back from a question or an answer."""

import re
from collections.abc import Iterable

from koki.book.words import Joining
from koki.dialogue.phrasebook import Question


def filling(question: str, forms: Iterable[Question]) -> str:
    """What stands in a question where its form leaves room for it: "tempe" in "Punya tempe, bisa dibikin apa ya?".

    Raises:
        ValueError: the question has none of the forms.
    """
    for form in sorted(forms, key=lambda form: -len(form.question)):
        before, _, rest = form.question.partition("{")
        after = rest.partition("}")[2]
        if question.startswith(before) and question.endswith(after):
            return question[len(before) : len(question) - len(after)]
    raise ValueError(f"{question!r} has none of the forms")


def split_names(text: str, joining: Joining) -> list[str]:
    """The names that were joined in running text."""
    between = sorted((joining.comma, joining.last, joining.last_of_many), key=len, reverse=True)
    return re.split("|".join(map(re.escape, between)), text)


def pattern(form: str) -> re.Pattern[str]:
    """A pattern for a sentence of the phrasebook once it is filled; each slot is a group by its name."""
    pieces = re.split(r"\{(\w+)\}", form)
    slots = [f"(?P<{piece}>.+?)" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces)]
    return re.compile("".join(slots), re.IGNORECASE)
