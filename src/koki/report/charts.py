"""Logged numbers -> the shapes of a chart: paths in a box of 100 by 100 that the page stretches, and its ticks.

Ticks are evenly spaced, so the page can write them as text beside the drawing, which keeps its size on any screen.
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
        steps: ticks from left to right, evenly spaced.
        ticks: values from the top down, evenly spaced; 0 is the lowest, so that heights compare.
        logged: how many values are finite.
        not_finite: how many are not, and are not drawn.
    """

    points: tuple[Point, ...]
    line: str
    steps: tuple[int, ...]
    ticks: tuple[float, ...]
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
        steps=_step_ticks(last),
        ticks=ticks,
        logged=len(logged),
        not_finite=len(values) - len(logged),
    )


def _ticks(highest: float) -> tuple[float, ...]:
    """Round numbers from above the highest value down to 0."""
    if highest <= 0:
        return (1.0, 0.0)
    rough = highest / _MOST_INTERVALS
    unit = 10.0 ** math.floor(math.log10(rough))
    size = next(size for size in (unit, 2 * unit, 5 * unit, 10 * unit) if size * _MOST_INTERVALS >= highest)
    count = math.ceil(highest / size - 1e-9)
    return tuple(number * size for number in range(count, -1, -1))


def _step_ticks(last: int) -> tuple[int, ...]:
    """Evenly spaced whole steps from 0 to the last one."""
    intervals = next(count for count in (4, 3, 2, 5, 1) if last % count == 0)
    return tuple(last * number // intervals for number in range(intervals + 1))
