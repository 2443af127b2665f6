"""Cycles are looked for less, and as before once that is over."""

import gc

import pytest

from koki.garbage import no_search_for_cycles


def test_within_it_no_cycles_are_looked_for() -> None:
    with no_search_for_cycles():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_within_it_turns_the_search_on_again() -> None:
    with pytest.raises(ValueError, match="broken"), no_search_for_cycles():
        raise ValueError("broken")
    assert gc.isenabled()


def test_where_the_search_was_off_it_stays_off() -> None:
    gc.disable()
    try:
        with no_search_for_cycles():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
