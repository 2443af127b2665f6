"""A second process that makes what a function gives."""

import time

import pytest

from koki.workers import Helper


def test_a_helper_ends_with_what_it_helps() -> None:
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Helper(map, time.sleep, [60]):
        raise KeyboardInterrupt
    assert time.monotonic() - started < 30


def test_a_helper_gives_what_the_function_gives() -> None:
    with Helper(map, int, ["1", "2"]) as numbers:
        assert list(numbers) == [1, 2]


def test_what_came_before_an_error_is_given() -> None:
    with Helper(map, int, ["1", "dua"]) as helper:
        numbers = iter(helper)
        assert next(numbers) == 1
        with pytest.raises(ValueError, match="dua"):
            next(numbers)


def test_what_a_helper_did_not_come_to_is_made_here() -> None:
    many = range(100_000)  # more than a pipe holds
    with Helper(map, str, many) as helper:
        items = iter(helper)
        first = next(items)
        assert helper._process is not None
        helper._process.kill()
        assert [first, *items] == list(map(str, many))
