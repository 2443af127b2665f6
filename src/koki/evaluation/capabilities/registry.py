"""All capabilities: what scorecards, reports, run cards and model cards list comes from this tuple."""

from collections.abc import Mapping
from typing import Final

from koki.dialogue.conversation import Kind
from koki.evaluation.capabilities import any_answer
from koki.evaluation.capabilities.absent import ABSENT
from koki.evaluation.capabilities.capability import Capability, Measure
from koki.evaluation.capabilities.detail import DETAIL
from koki.evaluation.capabilities.inquiry import INQUIRY
from koki.evaluation.capabilities.recipe import FULL_RECIPE, SIMPLE_QUESTION
from koki.evaluation.capabilities.recommendation import RECOMMENDATION
from koki.evaluation.capabilities.refusal import REFUSAL
from koki.evaluation.capabilities.tip import TIP

CAPABILITIES: Final[tuple[Capability, ...]] = (
    FULL_RECIPE,
    SIMPLE_QUESTION,
    RECOMMENDATION,
    INQUIRY,
    DETAIL,
    TIP,
    ABSENT,
    REFUSAL,
)
"""In the order of all tables."""


def named(name: str) -> Capability:
    """The capability of that name.

    Raises:
        KeyError: there is none.
    """
    return {capability.name: capability for capability in CAPABILITIES}[name]


def taught_by(kind: Kind) -> Capability:
    """The capability that conversations of that kind teach.

    Raises:
        KeyError: there is none.
    """
    return {capability.kind: capability for capability in CAPABILITIES}[kind]


def measures() -> dict[str, dict[str, Measure]]:
    """The measures of each capability, by its name, then those of any answer, by `any_answer.ANY`."""
    return {capability.name: capability.measures for capability in CAPABILITIES} | {any_answer.ANY: any_answer.MEASURES}


def missed(capability: str, scores: Mapping[str, float | None]) -> list[str]:
    """The measures by which an answer with these scores is not right; an answer that misses none is right as a whole.

    A measure that does not apply to its question is not missed.

    Raises:
        KeyError: there is no such capability.
    """
    bars = named(capability).bars | any_answer.BARS
    return [name for name, score in scores.items() if name in bars and score is not None and score < bars[name]]


def promised() -> list[str]:
    """The names of the capabilities that a run card and a model card list."""
    return [capability.name for capability in CAPABILITIES if capability.is_promised]
