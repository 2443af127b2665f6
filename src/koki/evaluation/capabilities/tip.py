"""A tip: how something is done and why, of the tips that ship with Koki or of the reasons that a recipe gives."""

from collections.abc import Sequence
from typing import Final

from koki.config import DataConfig
from koki.dialogue.compose import Composer
from koki.dialogue.conversation import Conversation
from koki.dialogue.phrasebook import load_tips
from koki.evaluation.capabilities.capability import Capability, Case, Measure, Scores
from koki.evaluation.metrics import gives_reason, key_words, said_of
from koki.language import N_

# An answer is on the topic when it says this share of the question's key words, or of the true answer's.
_ON_TOPIC: Final = 1 / 3


def _judge(case: Case) -> Scores:
    """Judge by key words: a rubric, which a wrong tip in the right words passes. A recipe is no tip."""
    asked, text = case.asked, case.text
    if case.said.ingredients:
        return {"on_topic": 0.0, "reason": 0.0, "key_words": 0.0}
    of_question = said_of(key_words(asked.question), text) or 0.0
    of_reference = said_of(key_words(asked.reference), text) or 0.0
    return {
        "on_topic": float(max(of_question, of_reference) >= _ON_TOPIC),
        "reason": float(gives_reason(text, asked.reference)),
        "key_words": of_reference,
    }


def _subjects(group: str, composer: Composer, data: DataConfig) -> Sequence[Sequence[Conversation]]:
    """The tips that ship, which have no other forms of question and are all trained on: for recall, and as typed."""
    tips = load_tips() if data.tips and group in ("recall", "typing") else ()
    return [composer.compose_tip(tip) for tip in tips]


TIP: Final = Capability(
    name="tip",
    kind="tip",
    measures={
        "on_topic": Measure(
            N_("on the topic"), "says a third of the key words of the question or of the true tip, and is no recipe"
        ),
        "reason": Measure(
            N_("gives a reason"),
            "has a word that reasons are given with, such as karena, or key words of the true reason",
        ),
        "key_words": Measure(N_("key words"), "of the true tip's key words, the share that is said"),
    },
    judge=_judge,
    bars={"on_topic": 1.0, "reason": 1.0},
    subjects=_subjects,
)
