"""Logged numbers -> the shapes of a chart: paths in a box of 100 by 100 that the page stretches, and its ticks.

Ticks are round numbers, which the page writes as text beside the drawing: text keeps its size on any screen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_POINTS: Final = 240
"""More than a wide screen has room for."""

_MOST_INTERVALS: Final = 5


@dataclass(frozen=True, slots=True)
class Point:
    """A logged value, and where it stands in the box."""

    step: int
    value: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A line over the steps of a run.

    Attributes:
        points: those that are drawn; all that were logged, or every n-th and the last.
        line: the path through them.
        last: the last step.
        steps: ticks from left to right, round and evenly spaced, and where they stand; the line may go on beyond.
        ticks: values from the top down, round and evenly spaced; 0 is the lowest, so that heights compare.
        digits: how many decimals tell the ticks apart.
        logged: how many values are finite.
        not_finite: how many are not, and are not drawn.
    """

    points: tuple[Point, ...]
    line: str
    last: int
    steps: tuple[tuple[int, float], ...]
    ticks: tuple[float, ...]
    digits: int
    logged: int
    not_finite: int


def chart(steps: Sequence[int], values: Sequence[float]) -> Chart | None:
    """Draw values, none of them below 0, over the steps at which they were logged; None for fewer than two."""
    logged = [(step, value) for step, value in zip(steps, values, strict=True) if math.isfinite(value)]
    if len(logged) < 2:
        return None
    every = math.ceil(len(logged) / MOST_POINTS)
    drawn = [*logged[:-1:every], logged[-1]]
    ticks, last = _ticks(max(value for _, value in drawn)), logged[-1][0]
    points = tuple(Point(step, value, 100 * step / last, 100 - 100 * value / ticks[0]) for step, value in drawn)
    return Chart(
        points=points,
        line="M" + "L".join(f"{point.x:.2f} {point.y:.2f}" for point in points),
        last=last,
        steps=_step_ticks(last),
        ticks=ticks,
        digits=max(0, -math.floor(math.log10(ticks[0] - ticks[1]) + 1e-9)),
        logged=len(logged),
        not_finite=len(values) - len(logged),
    )


def _ticks(highest: float) -> tuple[float, ...]:
    """Round numbers from above the highest value down to 0."""
    if highest <= 0:
        return (1.0, 0.0)
    size = _round_size(highest)
    count = math.ceil(highest / size - 1e-9)
    return tuple(number * size for number in range(count, -1, -1))


def _step_ticks(last: int) -> tuple[tuple[int, float], ...]:
    """Round whole steps from 0 to the last one or near it, with their places."""
    every = max(1, round(_round_size(last)))
    return tuple((step, 100 * step / last) for step in range(0, last + 1, every))


def _round_size(highest: float) -> float:
    """The smallest of 1, 2, 5, 10, 20, 50 and so on that divides what is not below 0 into few intervals."""
    rough = highest / _MOST_INTERVALS
    unit = 10.0 ** math.floor(math.log10(rough))
    return next(size for size in (unit, 2 * unit, 5 * unit, 10 * unit) if size * _MOST_INTERVALS >= highest)
