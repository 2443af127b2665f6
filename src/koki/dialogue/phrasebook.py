"""The Indonesian words of questions and answers, read from `phrasebook.toml` and `tips.toml` and checked."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Answers = Literal["recipe", "ingredients", "steps"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Question(_Table):
    """A form of question; ``answers`` says what its answer holds, ``tip`` whether it may end with a tip."""

    question: str
    answers: Answers = "recipe"
    tip: bool = False


class SystemPrompt(_Table):
    """What the chef is told that it is."""

    prompt: str


class OpeningFrame(_Table):
    """First sentences of an answer."""

    opening: tuple[str, ...] = Field(min_length=1)


class RecommendationFrame(OpeningFrame):
    """Sentences of a recommendation, in the order in which they are said."""

    missing: tuple[str, ...] = Field(min_length=1)
    complete: tuple[str, ...] = Field(min_length=1)
    recipe: tuple[str, ...] = Field(min_length=1)


class InquiryFrame(OpeningFrame):
    """Sentences of an answer to an inquiry."""

    recipe: tuple[str, ...] = Field(min_length=1)


class ClosingFrame(_Table):
    """Last sentences, the first to be left out when an answer is too long."""

    courtesy: tuple[str, ...] = Field(min_length=1)


class Frames(_Table):
    """The sentences around the recipe."""

    recipe: OpeningFrame
    ingredients: OpeningFrame
    steps: OpeningFrame
    recommendation: RecommendationFrame
    inquiry: InquiryFrame
    closing: ClosingFrame

    def requested(self, answers: Answers) -> OpeningFrame:
        """The frame of an answer that holds the recipe, its ingredients or its steps."""
        return {"recipe": self.recipe, "ingredients": self.ingredients, "steps": self.steps}[answers]


class Headings(_Table):
    """Headings inside a recipe."""

    ingredients: str
    steps: str
    tip: str


class Joining(_Table):
    """How a list is said in running text."""

    comma: str
    last: str


class Phrasebook(_Table):
    """All forms of question (5 standard, 15 simple, 10 recommendation, 10 inquiry) and the answers' frames."""

    system: SystemPrompt
    standard: tuple[Question, ...] = Field(min_length=5, max_length=5)
    simple: tuple[Question, ...] = Field(min_length=15, max_length=15)
    recommendation: tuple[Question, ...] = Field(min_length=10, max_length=10)
    inquiry: tuple[Question, ...] = Field(min_length=10, max_length=10)
    frames: Frames
    headings: Headings
    joining: Joining


class Tip(_Table):
    """A trick of traditional cooking with its reason.

    ``short`` is the same trick in one sentence, for the end of a recipe that has one of ``ingredients``.
    """

    topic: str
    ingredients: tuple[str, ...]
    questions: tuple[str, ...] = Field(min_length=1)
    answer: str
    short: str


@cache
def load_phrasebook() -> Phrasebook:
    """The phrasebook that ships with Koki."""
    return Phrasebook.model_validate(_read("phrasebook.toml"))


@cache
def load_tips() -> tuple[Tip, ...]:
    """The tips that ship with Koki."""
    return tuple(Tip.model_validate(entry) for entry in _read("tips.toml")["tip"])


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((resources.files("koki.dialogue") / name).read_text("utf-8"))
