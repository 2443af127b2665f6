"""Cycles are looked for less, and as before once that is over."""

import gc

import pytest

from koki.gc_paused import gc_paused


def test_within_it_no_cycles_are_looked_for() -> None:
    with gc_paused():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_within_it_turns_the_search_on_again() -> None:
    with pytest.raises(ValueError, match="broken"), gc_paused():
        raise ValueError("broken")
    assert gc.isenabled()


def test_where_the_search_was_off_it_stays_off() -> None:
    gc.disable()
    try:
        with gc_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
