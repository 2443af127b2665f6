"""Charts: every point in the box, ticks round and evenly spaced."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.report.charts import MOST_POINTS, chart

VALUES = st.lists(st.floats(0, 1e9, allow_subnormal=False), min_size=2, max_size=600)


@given(VALUES)
def test_every_point_is_in_the_box_and_the_ticks_reach_from_0_to_above_the_highest(values: list[float]) -> None:
    drawn = chart(range(1, len(values) + 1), values)
    assert drawn is not None
    assert all(0 <= point.x <= 100 and -1e-6 <= point.y <= 100 for point in drawn.points)
    assert drawn.ticks[-1] == 0
    assert drawn.ticks[0] * (1 + 1e-9) >= max(point.value for point in drawn.points)
    assert 2 <= len(drawn.ticks) <= 6
    gaps = [above - below for above, below in pairwise(drawn.ticks)]
    assert all(math.isclose(gap, gaps[0], rel_tol=1e-6) for gap in gaps)


@given(st.integers(1, 5000))
def test_steps_are_round_and_evenly_spaced_up_to_the_last_or_near_it(last: int) -> None:
    drawn = chart([0, last], [1.0, 2.0])
    assert drawn is not None
    steps = [step for step, _ in drawn.steps]
    (size,) = {after - before for before, after in pairwise(steps)}
    assert str(size).rstrip("0") in ("1", "2", "5")
    assert steps[0] == 0
    assert steps[-1] <= last < steps[-1] + size
    assert len(steps) <= 6
    assert [x for _, x in drawn.steps] == pytest.approx([100 * step / last for step in steps])


def test_places_are_in_proportion() -> None:
    drawn = chart([1, 2, 4], [1.0, 0.5, 0.25])
    assert drawn is not None
    assert [(point.x, point.y) for point in drawn.points] == [(25, 0), (50, 50), (100, 75)]
    assert drawn.ticks == pytest.approx((1, 0.8, 0.6, 0.4, 0.2, 0))
    assert drawn.digits == 1
    assert drawn.line == "M25.00 0.00L50.00 50.00L100.00 75.00"


def test_of_many_points_every_so_many_and_the_last_are_drawn_and_all_are_counted() -> None:
    drawn = chart(range(1, 1001), [1.0] * 1000)
    assert drawn is not None
    assert len(drawn.points) <= MOST_POINTS + 1
    assert (drawn.points[-1].step, drawn.logged) == (1000, 1000)


def test_what_is_not_finite_is_counted_and_not_drawn() -> None:
    drawn = chart([1, 2, 3], [1.0, math.nan, 2.0])
    assert drawn is not None
    assert ([point.step for point in drawn.points], drawn.not_finite) == ([1, 3], 1)


def test_a_single_value_is_no_chart() -> None:
    assert chart([1], [1.0]) is None
    assert chart([1, 2], [1.0, math.inf]) is None
