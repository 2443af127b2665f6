"""A refusal: what a chef should decline, because it is no question about cooking."""

from collections.abc import Sequence
from typing import Final

from koki.config import DataConfig
from koki.dialogue.compose import Composer
from koki.dialogue.conversation import Conversation
from koki.dialogue.phrasebook import load_refusals
from koki.evaluation.capabilities.capability import Capability, Case, Measure, Scores
from koki.evaluation.metrics import declines, has_loop
from koki.language import N_


def _judge(case: Case) -> Scores:
    """Judge by the words that one declines with: a rubric, which a refusal of what was not asked passes."""
    has_recipe = case.said.ingredients or case.said.steps
    return {"declined": float(declines(case.text) and not has_recipe and not has_loop(case.text))}


def _subjects(group: str, composer: Composer, data: DataConfig) -> Sequence[Sequence[Conversation]]:
    """The refusals as they were trained on, for understanding in the form that was held out; small talk is left out."""
    refusals = [refusal for refusal in load_refusals() if refusal.declines] if data.refusals else []
    if group == "understanding":
        refusals = [refusal.model_copy(update={"questions": (refusal.held_out,)}) for refusal in refusals]
    if group in ("generalisation", "added"):  # all of them were trained on
        refusals = []
    return [composer.compose_refusal(refusal) for refusal in refusals]


REFUSAL: Final = Capability(
    name="refusal",
    kind="refusal",
    measures={
        "declined": Measure(N_("declines"), "has words that one declines with, no recipe and no loop"),
    },
    judge=_judge,
    bars={"declined": 1.0},
    about_recipes=False,
    subjects=_subjects,
    is_promised=False,
)
