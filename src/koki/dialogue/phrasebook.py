"""The Indonesian words of questions and answers, read from TOML files beside this one and checked."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from koki.book.words import Joining, load_words
from koki.dialogue.detail_words import Topic

Answers = Literal["recipe", "ingredients", "steps"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Question(_Table):
    """A form of question.

    Attributes:
        answers: what its answer holds.
        tip: the answer may end with a tip.
        several: the answer may end with further dishes.
        held_out: never trained on, so that evaluation can tell understanding from recall.
    """

    question: str
    answers: Answers = "recipe"
    tip: bool = False
    several: bool = False
    held_out: bool = False


_OfEachWording = tuple[tuple[str, ...], tuple[str, ...]]


class ShortForms(_Table):
    """Questions in the fewest words; of requests, some for each of the two wordings of an answer."""

    recipe: _OfEachWording
    ingredients: _OfEachWording
    steps: _OfEachWording
    inquiry: tuple[str, ...] = Field(min_length=1)

    def requested(self, answers: Answers) -> _OfEachWording:
        """Those whose answer holds the recipe, its ingredients or its steps."""
        return {"recipe": self.recipe, "ingredients": self.ingredients, "steps": self.steps}[answers]


class SystemPrompt(_Table):
    """The text that tells the model who it is."""

    prompt: str


class OpeningFrame(_Table):
    """First sentences of an answer."""

    opening: tuple[str, ...] = Field(min_length=1)


class SuggestionFrame(OpeningFrame):
    """Sentences of an answer that suggests a dish: what leads to its recipe, or offers it where it is too long."""

    recipe: tuple[str, ...] = Field(min_length=1)
    offer: tuple[str, ...] = Field(min_length=1)


class RecommendationFrame(SuggestionFrame):
    """Sentences that say what is missing, or that nothing is; ``terse`` is an opening of few words."""

    terse: tuple[str, ...] = Field(min_length=1)
    missing: tuple[str, ...] = Field(min_length=1)
    complete: tuple[str, ...] = Field(min_length=1)


class OthersFrame(_Table):
    """Further dishes after a recipe: a heading, then a line for each."""

    recommendation: tuple[str, ...] = Field(min_length=1)
    inquiry: tuple[str, ...] = Field(min_length=1)
    with_missing: str
    with_all: str
    with_ingredients: str


class AbsentFrame(_Table):
    """What is said where the book does not have a dish, and of those that are nearest to it."""

    opening: str
    nearest: str


class ClosingFrame(_Table):
    """Last sentences, the first to be left out when an answer is too long."""

    courtesy: tuple[str, ...] = Field(min_length=1)


class Frames(_Table):
    """The sentences around the recipe."""

    recipe: OpeningFrame
    ingredients: OpeningFrame
    steps: OpeningFrame
    recommendation: RecommendationFrame
    inquiry: SuggestionFrame
    others: OthersFrame
    absent: AbsentFrame
    closing: ClosingFrame

    def requested(self, answers: Answers) -> OpeningFrame:
        """The frame of an answer that holds the recipe, its ingredients or its steps."""
        return {"recipe": self.recipe, "ingredients": self.ingredients, "steps": self.steps}[answers]


class Headings(_Table):
    """Headings inside a recipe."""

    ingredients: str
    steps: str
    tip: str


class Pages(_Table):
    """What stands around the pages of the book that a chef reads, and notes on what was worked out.

    Attributes:
        wanted: what a question about a dish asks for.
        topics: the same of a question about one thing in its recipe.
        facts: forms of a fact for those topics that have their own; else ``fact``.
    """

    book: str
    recipe: str
    scaled: str
    tip: str
    could_cook: str
    with_ingredient: str
    absent: str
    nearest: str
    asked: str
    asked_of: str
    fact: str
    fact_in_step: str
    fact_lacks: str
    of_group: str
    question: str
    wanted: dict[str, str]
    topics: dict[Topic, str]
    facts: dict[Topic, str]


class Reasons(_Table):
    """How steps give reasons, and questions for them.

    Attributes:
        because: words before a purpose.
        leading: words that tie a sentence to the one before and can be left out.
        leaning: first words of a sentence that makes no sense alone.
        vague: first words of a purpose that does not say of what it speaks.
        chatty: words that are meant for the readers of a post, or speak of who posted it.
    """

    because: tuple[str, ...] = Field(min_length=1)
    leading: tuple[str, ...] = Field(min_length=1)
    leaning: frozenset[str]
    vague: frozenset[str]
    chatty: frozenset[str]
    questions: tuple[str, ...] = Field(min_length=1)


# The number of question forms of each kind that are trained on, as the reference settings say.
_TRAINED: Final = {"standard": 5, "simple": 15, "recommendation": 10, "inquiry": 10}


class Phrasebook(_Table):
    """All forms of question and the answers' frames."""

    system: SystemPrompt
    standard: tuple[Question, ...]
    simple: tuple[Question, ...]
    recommendation: tuple[Question, ...]
    inquiry: tuple[Question, ...]
    short: ShortForms
    frames: Frames
    headings: Headings
    pages: Pages
    reasons: Reasons

    @property
    def joining(self) -> Joining:
        """How a list is said in running text."""
        return load_words().joining

    @model_validator(mode="after")
    def _has_the_reference_numbers(self) -> Self:
        for kind, count in _TRAINED.items():
            trained = sum(not question.held_out for question in getattr(self, kind))
            if trained != count:
                raise ValueError(f"{trained} questions of kind {kind} are trained on, not {count}")
        return self


class Tip(_Table):
    """A trick of traditional cooking with its reason.

    Attributes:
        short: the same trick in one sentence, for the end of a recipe that has one of ``ingredients``.
        always: phrases, in small letters; see `koki.dialogue.certain`.
    """

    topic: str
    ingredients: tuple[str, ...]
    questions: tuple[str, ...] = Field(min_length=1)
    answer: str
    short: str
    always: tuple[str, ...] = ()


class Refusal(_Table):
    """A question or remark that is not about cooking, and its short answer.

    Attributes:
        held_out: a form of the question that is never trained on.
        declines: whether the answer declines; small talk has answers that do not.
        always: phrases, in small letters; see `koki.dialogue.certain`.
    """

    topic: str
    questions: tuple[str, ...] = Field(min_length=2)
    held_out: str
    answer: str
    declines: bool = True
    always: tuple[str, ...] = ()


@cache
def load_phrasebook() -> Phrasebook:
    """The phrasebook that ships with Koki."""
    return Phrasebook.model_validate(_read("phrasebook.toml"))


@cache
def load_tips() -> tuple[Tip, ...]:
    """The tips that ship with Koki."""
    return tuple(Tip.model_validate(entry) for entry in _read("tips.toml")["tip"])


@cache
def load_refusals() -> tuple[Refusal, ...]:
    """The refusals, and the small talk, that ship with Koki."""
    read = _read("refusals.toml")
    return tuple(Refusal.model_validate({"answer": read["answer"]} | entry) for entry in read["refusal"])


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((resources.files("koki.dialogue") / name).read_text("utf-8"))
