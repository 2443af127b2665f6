"""Means with 95 % intervals by the bootstrap (Efron 1979), seeded: the same scores give the same interval.

Where nothing but right or wrong is counted, the interval is Wilson's (1927): of 60 right answers of 60 the bootstrap
would say that there are no others.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np

from koki.language import chosen, number

_RESAMPLES: Final = 2000
_PERCENTILES: Final = (2.5, 97.5)
_Z: Final = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over questions.

    Attributes:
        low, high: the interval that the means of 95 of 100 resamples of the questions lie in. With few questions it is
            narrower than it should be; with one it is a point.
        questions: how many had a score.
    """

    mean: float
    low: float
    high: float
    questions: int

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    def as_text(self, form: str) -> str:
        """``0.95 [0.89,1.00]`` in the language of the terminal; of one question, the mean alone.

        Args:
            form: of each number, such as ``.2f``.
        """
        between = ";" if chosen() == "id" else ","  # where the comma is the decimal mark
        interval = f" [{number(self.low, form)}{between}{number(self.high, form)}]" if self.questions > 1 else ""
        return number(self.mean, form) + interval


def mean_of(scores: Sequence[float | None], seed: int) -> Mean | None:
    """The mean of the scores that there are; None where there are none."""
    values = np.array([score for score in scores if score is not None], dtype=np.float64)
    if not len(values):
        return None
    drawn = np.random.default_rng(seed).integers(0, len(values), (_RESAMPLES, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), _PERCENTILES)
    mean, low, high = (round(float(value), 4) for value in (values.mean(), low, high))
    return Mean(mean, low, high, len(values))


def mean_difference(scores: Sequence[float | None], others: Sequence[float | None], seed: int) -> Mean | None:
    """The mean of score minus other score, question by question; a question without one of the two is left out.

    Two models find the same questions hard, so the interval of the differences is narrower than the two means' own.
    """
    pairs = zip(scores, others, strict=True)
    return mean_of([score - other for score, other in pairs if score is not None and other is not None], seed)


@dataclass(frozen=True, slots=True)
class Share:
    """How many answers are right, of how many."""

    right: int
    asked: int

    @property
    def mean(self) -> float:
        """The share of those asked; 0 of nothing."""
        return self.right / self.asked if self.asked else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The share of all that might have been asked: Wilson's 95 % interval; from 0 to 1 where nothing was."""
        if not self.asked:
            return 0.0, 1.0
        doubt = _Z**2 / self.asked
        centre = (self.mean + doubt / 2) / (1 + doubt)
        half = (self.mean * (1 - self.mean) * doubt + doubt**2 / 4) ** 0.5 / (1 + doubt)
        return max(0.0, centre - half), min(1.0, centre + half)
