"""Tips that stand in the recipes themselves: a step that says what it is good for."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from koki.dialogue.phrasebook import Reasons
from koki.recipes.recipe import Recipe

# A tip of fewer words says too little, one of more is half a recipe.
_FEWEST_WORDS: Final = 5
_MOST_WORDS: Final = 30
# A purpose of more words makes too long a question.
_LONGEST_PURPOSE: Final = 10


def reasons_in(recipe: Recipe, words: Reasons) -> Iterator[tuple[str, str]]:
    """Purpose and sentence of each step that gives a reason, each purpose once.

    "Rendam tempe dalam air garam agar bumbunya meresap." -> ("bumbunya meresap", the sentence). A purpose that does not
    say of what it speaks ("tidak pecah") makes an odd question, a sentence that makes no sense without the one before
    ("Tunggu 15 menit ...") an odd answer; both are left out.
    """
    seen: set[str] = set()
    for step in recipe.steps:
        for sentence in re.split(r"(?<=[.!?])\s+", step):
            purpose = _purpose(sentence, words)
            if purpose and purpose not in seen and (answer := _standing_alone(sentence, words)):
                seen.add(purpose)
                yield purpose, answer


def _purpose(sentence: str, words: Reasons) -> str | None:
    found = _reason(words.because, words.leading).search(sentence)
    if found is None or len(sentence[: found.start()].split()) < _FEWEST_WORDS - 1:
        return None
    purpose = found[1].lower().split()
    says_enough = 1 < len(purpose) <= _LONGEST_PURPOSE and purpose[0] not in words.vague
    is_one = not any(word in words.because or word[0].isdigit() for word in purpose)
    return " ".join(purpose) if says_enough and is_one else None


@cache
def _reason(because: tuple[str, ...], leading: tuple[str, ...]) -> re.Pattern[str]:
    """Finds the purpose, up to a punctuation mark or a word that begins something else."""
    ends = rf"[,.;:()!?]|\b(?:{'|'.join(leading)})\b"
    return re.compile(rf"\b(?:{'|'.join(because)})\s+(.+?)\s*(?:{ends}|$)", re.IGNORECASE)


def _standing_alone(sentence: str, words: Reasons) -> str | None:
    """The sentence without what ties it to the one before: "Lalu", "Setelah itu,".

    None for one that makes no sense without the one before, chats with the readers of a post, or is too long.
    """
    alone = re.sub(rf"^(?:(?:{'|'.join(words.leading)})\b\s*[,:]?\s*)+", "", sentence, flags=re.IGNORECASE)
    said = re.findall(r"\w+", alone.lower())
    if not said or len(said) > _MOST_WORDS or said[0] in words.leaning or not words.chatty.isdisjoint(said):
        return None
    alone = alone[0].upper() + alone[1:].rstrip(" .,;:")
    return alone if alone.endswith(("!", "?")) else f"{alone}."
