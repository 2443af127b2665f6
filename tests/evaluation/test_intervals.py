"""Means and their intervals."""

from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.evaluation.intervals import Share, mean_difference, mean_of

scores = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_the_interval_of_a_coin_is_near_the_one_of_the_textbook() -> None:
    found = mean_of([0.0, 1.0] * 50, seed=42)
    assert found is not None
    # normal approximation: 0.5 -+ 1.96 * 0.5 / sqrt(100)
    assert (found.mean, found.questions) == (0.5, 100)
    assert found.low == pytest.approx(0.402, abs=0.02)
    assert found.high == pytest.approx(0.598, abs=0.02)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    values = [place**2 / 400 for place in range(20)]
    assert mean_of(values, seed=1) == mean_of(values, seed=1)
    assert mean_of(values, seed=1) != mean_of(values, seed=2)


def test_no_scores_have_no_mean() -> None:
    assert mean_of([], seed=42) is None
    assert mean_of([None, None], seed=42) is None


def test_what_has_no_score_does_not_count() -> None:
    found = mean_of([1.0, None, 0.0], seed=42)
    assert found is not None
    assert (found.mean, found.questions) == (0.5, 2)


@given(scores)
def test_the_mean_lies_in_its_interval(values: list[float]) -> None:
    found = mean_of(values, seed=42)
    assert found is not None
    assert found.low - 1e-3 <= found.mean <= found.high + 1e-3


def test_pairing_finds_a_small_difference_that_the_two_means_hide() -> None:
    easy_to_hard = [place / 20 for place in range(20)]
    slightly_better = [score + 0.02 for score in easy_to_hard]
    found = mean_difference(slightly_better, easy_to_hard, seed=42)
    assert found is not None
    assert found.low > 0
    alone, other = mean_of(slightly_better, 42), mean_of(easy_to_hard, 42)
    assert alone is not None
    assert other is not None
    assert alone.low < other.mean  # alone, their intervals overlap


def test_a_question_that_only_one_has_a_score_for_is_left_out() -> None:
    found = mean_difference([1.0, None, 0.5], [0.5, 1.0, None], seed=42)
    assert found is not None
    assert (found.mean, found.questions) == (0.5, 1)


def test_pairs_have_to_be_pairs() -> None:
    with pytest.raises(ValueError, match="shorter"):
        mean_difference(list(repeat(1.0, 3)), [1.0], seed=42)


@pytest.mark.parametrize(
    ("share", "low", "high"), [(Share(60, 60), 0.940, 1.0), (Share(0, 10), 0.0, 0.278), (Share(81, 263), 0.255, 0.366)]
)
def test_the_interval_of_a_share_is_wilsons(share: Share, low: float, high: float) -> None:
    # the last is the example of Newcombe 1998, table I
    assert share.interval == pytest.approx((low, high), abs=5e-4)


@given(st.integers(0, 300).flatmap(lambda asked: st.tuples(st.integers(0, asked), st.just(asked))))
def test_a_share_lies_in_its_interval_and_that_between_0_and_1(counts: tuple[int, int]) -> None:
    share = Share(*counts)
    low, high = share.interval
    assert 0 <= low <= share.mean + 1e-9
    assert share.mean - 1e-9 <= high <= 1
