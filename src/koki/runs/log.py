"""What a run logged: how its loss went, the losses of recipes held out, and what follows from them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from koki.language import N_, _, ngettext

# The share of a run's steps whose mean loss is its beginning, and its end.
_SHARE: Final = 0.1

_Window = tuple[int, float]
"""A number of steps, and the mean of their losses."""


@dataclass(frozen=True, slots=True)
class LossCourse:
    """Where the loss came from and where it went, like compared with like: means over a tenth of the steps or more.

    A step's loss depends on the few conversations that are in it, often more than on what was learned since another.

    Attributes:
        first, last: the mean losses of the first and of the last steps.
        first_steps, last_steps: how many steps those are; all of them, twice, where nothing finer was logged.
    """

    first: float
    first_steps: int
    last: float
    last_steps: int

    @classmethod
    def of(cls, log: Iterable[Mapping[str, Any]]) -> Self | None:
        """The course of transformers' log, whose entries have the mean loss since the one before; None without any."""
        windows = _windows([(entry["step"], entry["loss"]) for entry in log if "loss" in entry])
        if not windows:
            return None
        total, whole = _mean(windows)
        first_steps, first = _beginning(windows, _SHARE * total)
        last_steps, last = _beginning(windows[::-1], _SHARE * total)
        if first_steps + last_steps > total:
            return cls(whole, total, whole, total)
        return cls(first, first_steps, last, last_steps)

    def __str__(self) -> str:
        if self.first_steps == self.last_steps and self.first == self.last:
            of = ngettext("of one step", "mean of {count:,} steps", self.last_steps)
            return _("loss {loss:.4f} ({of})", loss=self.last, of=of)
        if self.first_steps != self.last_steps:
            steps = N_("means of the first {first:,} and last {last:,} steps")
        else:
            steps = N_("means of the first and last {last:,} steps")
        return _(
            "loss {first:.4f} to {last:.4f} ({steps})",
            first=self.first,
            last=self.last,
            steps=_(steps, first=self.first_steps, last=self.last_steps),
        )


def _windows(logged: Sequence[tuple[int, float]]) -> list[_Window]:
    """What each entry is the mean of; the first step, which is logged by itself, goes with those after it."""
    since = [0, *(step for step, _ in logged)]
    windows = [(step - before, loss) for before, (step, loss) in zip(since, logged, strict=False) if step > before]
    return [_mean(windows[:2]), *windows[2:]] if windows else []


def _beginning(windows: Sequence[_Window], steps: float) -> _Window:
    """The fewest of the first windows that have so many steps, as one."""
    count = 1
    while _mean(windows[:count])[0] < steps:
        count += 1
    return _mean(windows[:count])


def _mean(windows: Sequence[_Window]) -> _Window:
    total = sum(steps for steps, _ in windows)
    return total, sum(steps * loss for steps, loss in windows) / total


def held_out_losses(log_history: Iterable[Mapping[str, Any]]) -> dict[int, float]:
    """The held-out loss of every evaluation in transformers' log, by step; infinite where it is not a number."""
    evaluations = [entry for entry in log_history if "eval_loss" in entry]
    return {
        entry["step"]: entry["eval_loss"] if math.isfinite(entry["eval_loss"]) else math.inf for entry in evaluations
    }


def lowest(losses: Mapping[int, float]) -> int:
    """The step of the lowest loss, of equal ones the first."""
    return min(losses, key=lambda step: losses[step])


def lowest_trained(losses: Mapping[int, float]) -> int | None:
    """The step of the lowest loss after training began: the base's own, at step 0, is no result; None without any."""
    trained = {step: loss for step, loss in losses.items() if step > 0}
    return lowest(trained) if trained else None


def is_out_of_patience(losses: Mapping[int, float], patience: int | None) -> bool:
    """Whether so many evaluations have gone by since the lowest loss."""
    return patience is not None and bool(losses) and len(losses) - 1 - list(losses).index(lowest(losses)) >= patience
