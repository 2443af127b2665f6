"""What a run logged of recipes held out: the losses of its evaluations, and what follows from them."""

import math
from collections.abc import Iterable, Mapping
from typing import Any


def held_out_losses(log_history: Iterable[Mapping[str, Any]]) -> dict[int, float]:
    """The held-out loss of every evaluation in transformers' log, by step; infinite where it is not a number."""
    evaluations = [entry for entry in log_history if "eval_loss" in entry]
    return {
        entry["step"]: entry["eval_loss"] if math.isfinite(entry["eval_loss"]) else math.inf for entry in evaluations
    }


def lowest(losses: Mapping[int, float]) -> int:
    """The step of the lowest loss, of equal ones the first."""
    return min(losses, key=lambda step: losses[step])


def is_out_of_patience(losses: Mapping[int, float], patience: int | None) -> bool:
    """Whether so many evaluations have gone by since the lowest loss."""
    return patience is not None and bool(losses) and len(losses) - 1 - list(losses).index(lowest(losses)) >= patience
