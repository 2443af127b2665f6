"""How the loss of a run is told: like compared with like."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.runs.log import LossCourse, lowest_trained


def log_of(losses: list[float], every: int) -> list[dict[str, Any]]:
    """What transformers logs of a loss for each step: the first, then means over so many steps, and the rest."""
    ends = sorted({1, *range(every, len(losses) + 1, every), len(losses)})
    starts = [0, *ends]
    return [
        {"step": end, "loss": sum(losses[start:end]) / (end - start)} for start, end in zip(starts, ends, strict=False)
    ]


def test_the_loss_is_told_as_means_over_the_first_and_the_last_tenth_of_the_steps() -> None:
    losses = [float(step) for step in range(100, 0, -1)]
    course = LossCourse.of(log_of(losses, every=10))
    assert course == LossCourse(95.5, 10, 5.5, 10)
    assert str(course) == "loss 95.5000 to 5.5000 (means of the first and last 10 steps)"


def test_a_first_step_of_easy_conversations_is_not_where_the_loss_came_from() -> None:
    course = LossCourse.of(log_of([0.587, *[4.0] * 49, *[1.29] * 50], every=10))
    assert course is not None
    assert course.first > 3.6
    assert course.last == pytest.approx(1.29)


def test_where_the_steps_were_logged_in_other_stretches_it_says_how_many_they_are() -> None:
    course = LossCourse.of(log_of([3.0] * 100 + [2.0] * 114, every=100))
    assert str(course) == "loss 3.0000 to 2.0000 (means of the first 100 and last 114 steps)"


@pytest.mark.parametrize("steps", [2, 5, 10, 11])
def test_where_the_log_is_too_coarse_to_tell_them_apart_it_is_one_mean(steps: int) -> None:
    course = LossCourse.of(log_of([float(step) for step in range(steps)], every=10))
    mean = (steps - 1) / 2
    assert course == LossCourse(mean, steps, mean, steps)
    assert str(course) == f"loss {mean:.4f} (mean of {steps} steps)"


def test_a_log_without_losses_has_no_course() -> None:
    assert LossCourse.of([{"step": 0, "eval_loss": 3.0}]) is None


@given(st.lists(st.floats(0, 20), min_size=1, max_size=400), st.integers(1, 120))
def test_each_end_is_a_tenth_of_the_steps_or_more_and_its_mean_that_of_its_steps(
    losses: list[float], every: int
) -> None:
    course, steps = LossCourse.of(log_of(losses, every)), len(losses)
    assert course is not None
    assert min(course.first_steps, course.last_steps) >= steps / 10
    assert course.first_steps + course.last_steps <= steps or course.first_steps == course.last_steps == steps
    assert course.first == pytest.approx(sum(losses[: course.first_steps]) / course.first_steps, abs=1e-6)
    assert course.last == pytest.approx(sum(losses[-course.last_steps :]) / course.last_steps, abs=1e-6)


def test_the_lowest_step_of_training_is_not_the_base() -> None:
    assert lowest_trained({0: 1.0, 50: 3.0, 100: 2.0}) == 100
    assert lowest_trained({0: 1.0}) is None
