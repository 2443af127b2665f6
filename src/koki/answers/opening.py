"""What an opening in Koki's own words says: the dish, and what is missing for it."""

import re
from collections.abc import Iterable
from functools import cache

from koki.answers.filled import pattern, split_names
from koki.dialogue.phrasebook import OpeningFrame, load_phrasebook
from koki.ingredients.lexicon import fold


def dish_in(opening: str) -> re.Match[str] | None:
    """Where an opening in one of Koki's forms names the dish, as the group "dish"; None where it has none of them.

    A name may go on after what looks like its end.
    """
    return next(filter(None, (form.match(opening) for form in _openings())), None)


def is_of_a_part(opening: str) -> bool:
    """Whether an opening in one of Koki's forms announces the ingredients alone, or the steps alone."""
    return any(form.match(opening) for form in _openings_of_parts())


def name_in(text: str, names: Iterable[str]) -> str | None:
    """The name that a text has first; of those that begin at one place the longest.

    A name that goes on with a capital ("Soto Ayam" in "Soto Ayam Mars") is another dish's.
    """
    places = ((found.start(), -len(name), name) for name in names if (found := _whole(name).search(text)))
    return min(places, default=(0, 0, None))[2]


def missing_in(opening: str) -> list[str]:
    """The ingredients that an answer says are missing, in the words that Koki says it with; none where it does not."""
    found = next(filter(None, (form.search(opening + " ") for form in _missing())), None)
    return split_names(found["missing"], load_phrasebook().joining) if found else []


def says_missing(opening: str, missing: Iterable[str]) -> bool:
    """Whether just these ingredients are said to be missing, in any order and spelling."""
    return sorted(map(fold, missing_in(opening))) == sorted(map(fold, missing))


def _whole(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?i:{re.escape(name)})(?!\w|\s+[A-Z0-9])")


@cache
def _openings() -> tuple[re.Pattern[str], ...]:
    frames = (frame for _, frame in load_phrasebook().frames if isinstance(frame, OpeningFrame))
    return tuple(pattern(form) for frame in frames for form in frame.opening)


@cache
def _openings_of_parts() -> tuple[re.Pattern[str], ...]:
    frames = load_phrasebook().frames
    return tuple(pattern(form) for frame in (frames.ingredients, frames.steps) for form in frame.opening)


@cache
def _missing() -> tuple[re.Pattern[str], ...]:
    return tuple(pattern(form + " ") for form in load_phrasebook().frames.recommendation.missing)
