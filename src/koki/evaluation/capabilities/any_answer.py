"""Measures that any answer is judged by, whatever was asked."""

from typing import TYPE_CHECKING, Final

from koki.evaluation.capabilities.capability import Measure, Scores
from koki.evaluation.cookbook import Cookbook
from koki.evaluation.metrics import has_control_token, has_loop, indonesian_share
from koki.language import N_

if TYPE_CHECKING:  # who lists the capabilities needs no chef
    from koki.inference.answer import Answer

ANY: Final = "any answer"
"""Stands for all capabilities together."""

MEASURES: Final = {
    "ended": Measure(N_("ends by itself"), "with the stop token, before the limit"),
    "no_loop": Measure(N_("no loops"), "no run of words three times on end, no line four times, no 30 words twice"),
    "indonesian": Measure(
        N_("words known"), "of its words, the share in the lexicon, the recipes or the conversations"
    ),
    "no_control_token": Measure(N_("no control tokens"), "none in the text, and none that broke the answer off"),
}

BARS: Final = {"ended": 1.0, "no_loop": 1.0, "no_control_token": 1.0}
"""What any answer has to reach to be right, besides its capability's own bars."""


def judge_any(answer: "Answer", cookbook: Cookbook) -> Scores:
    """The scores of an answer by these measures."""
    text = answer.answer
    return {
        "ended": float(answer.stopped),
        "no_loop": float(not has_loop(text)),
        "indonesian": indonesian_share(text, cookbook.vocabulary) or 0.0,
        "no_control_token": float(answer.ended_by != "control_token" and not has_control_token(text)),
    }
