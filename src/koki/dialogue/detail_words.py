"""The Indonesian words of questions about one thing in a recipe, read from ``details.toml`` and checked."""

import re
import tomllib
from fractions import Fraction
from functools import cache, cached_property
from importlib import resources
from string import Formatter
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Topic = Literal["amount", "contains", "which", "time", "heat", "order", "portions"]
"""What is asked of a recipe: how much, whether, which kind, how long, how hot, when, for more or fewer."""

_ENDING: Final = re.compile(r"\}(\w+)")
_FEWEST_FORMS: Final = 8
_FEWEST_HELD_OUT: Final = 2


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DetailForm(_Table):
    """A form of question; see `koki.dialogue.phrasebook.Question`."""

    question: str
    held_out: bool = False

    @property
    def slots(self) -> frozenset[str]:
        """The names of what it is filled with."""
        return _slots(self.question)


@cache
def _slots(form: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(form) if name)


class DetailAnswers(_Table):
    """Sentences of the answers; ``for_group``, ``measured`` and ``step`` are parts of them."""

    amount: str
    for_group: str
    measured: str
    has: str
    lacks: str
    which: str
    time: str
    heat: str
    order: str
    step: str
    between_steps: str
    scaled: str
    all_scaled: str


class StepWords(_Table):
    """Words of steps, between spaces: before what to do, before more of it, behind it, and before a purpose."""

    leading: str
    also: str
    ends: str
    purposes: str


class DurationWords(_Table):
    """How a time is said."""

    before: tuple[str, ...]
    to: tuple[str, ...]
    numbers: tuple[str, ...]
    units: tuple[str, ...]
    whole: tuple[str, ...]


class HeatWords(_Table):
    """How the heat of a fire is said."""

    fire: str
    before: tuple[str, ...]
    to: tuple[str, ...]
    levels: tuple[str, ...]


class DetailWords(_Table):
    """Words that recipes are read by.

    Attributes:
        general: names of which there are kinds.
        boils: names that steps speak of all the time, whatever is put in.
        done: what is said to be done -> how steps write it, between commas.
    """

    general: tuple[str, ...]
    boils: tuple[str, ...]
    done: dict[str, str]
    steps: StepWords
    durations: DurationWords
    heat: HeatWords


class DetailBook(_Table):
    """All forms of question about one thing in a recipe, and the sentences of their answers.

    ``times`` has names for how often a recipe is made.
    """

    forms: dict[Topic, tuple[DetailForm, ...]]
    answers: DetailAnswers
    words: DetailWords
    times: dict[Fraction, tuple[str, ...]] = Field(min_length=1)

    @cached_property
    def endings(self) -> frozenset[str]:
        """What is written in one word with a name: the "nya" of "santannya"."""
        return frozenset(_ENDING.findall(" ".join(form.question for forms in self.forms.values() for form in forms)))

    @model_validator(mode="after")
    def _has_forms_enough(self) -> Self:
        for topic, forms in self.forms.items():
            if len(forms) < _FEWEST_FORMS or sum(form.held_out for form in forms) < _FEWEST_HELD_OUT:
                raise ValueError(f"{topic} has fewer than {_FEWEST_FORMS} forms, or than {_FEWEST_HELD_OUT} held out")
        return self


@cache
def load_details() -> DetailBook:
    """The forms and sentences that ship with Koki."""
    return DetailBook.model_validate(
        tomllib.loads((resources.files("koki.dialogue") / "details.toml").read_text("utf-8"))
    )
