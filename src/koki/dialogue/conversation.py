"""A question and its answer, in the parts that it is made of."""

from typing import Final, Literal, NamedTuple

Kind = Literal["standard", "simple", "recommendation", "inquiry", "tip", "refusal", "detail", "absent"]
KINDS: Final[tuple[Kind, ...]] = (
    "standard",
    "simple",
    "recommendation",
    "inquiry",
    "tip",
    "refusal",
    "detail",
    "absent",
)
RECIPE_KINDS: Final[frozenset[Kind]] = frozenset(KINDS) - {"tip", "refusal"}


class Segment(NamedTuple):
    """A part of an answer; ``role`` says what may be left out when the answer is too long.

    An ``extra`` is a tip at the end of a recipe, or further dishes.
    """

    text: str
    role: Literal["body", "extra", "courtesy"] = "body"


class Conversation(NamedTuple):
    """One question and its answer; the segments are joined by blank lines.

    Attributes:
        terse: the answer in fewer words around the same recipe, should the recipe be long.
        brief: the answer without the recipe, should that be too long for any answer to hold it.
        read: what is read before the question, from whole to short; empty where the chef answers from memory.
    """

    kind: Kind
    system: str
    question: str
    answer: tuple[Segment, ...]
    terse: tuple[Segment, ...] = ()
    brief: tuple[Segment, ...] = ()
    read: tuple[str, ...] = ()
