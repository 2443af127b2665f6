"""Means with 95 % intervals by the bootstrap (Efron 1979), seeded: the same scores give the same interval."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

_RESAMPLES: Final = 2000
_PERCENTILES: Final = (2.5, 97.5)


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
