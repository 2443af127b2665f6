"""A stage that lasts is shown while it lasts, and leaves a line."""

import io
import threading
from collections.abc import Callable, Iterator

import pytest
from helpers import printed
from rich.console import Console

from koki import progress
from koki.progress import bars_on, shown_on, stage


class Clock:
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "monotonic", clock)
    return clock


@pytest.fixture
def terminal() -> Iterator[Console]:
    """A terminal on which stages are shown."""
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    with shown_on(console):
        yield console


@pytest.fixture
def pipe() -> Iterator[Console]:
    console = Console(file=io.StringIO(), width=100)
    with shown_on(console):
        yield console


def bars() -> list[str]:
    """The bars that are shown now."""
    shown = progress._SHOWN.bars
    assert shown is not None
    return [task.description for task in shown.tasks] if shown.live.is_started else []


def work(clock: Clock, advance: Callable[[int], None], seconds: float = 3, count: int = 3_000) -> None:
    clock.seconds += seconds
    advance(count)


def test_a_stage_that_lasts_has_a_bar_with_what_is_done_how_fast_and_what_is_left(
    clock: Clock, terminal: Console
) -> None:
    with stage("Reading recipes", 9_000) as advance:
        work(clock, advance)
        terminal.print()
        assert "Reading recipes" in printed(terminal)
        assert "3000/9000 1,000/s, 6 s left" in printed(terminal)


def test_of_a_stage_without_a_total_it_is_not_said_what_is_left(clock: Clock, terminal: Console) -> None:
    with stage("Reading recipes") as advance:
        work(clock, advance)
        terminal.print()
        assert "3000/? 1,000/s" in printed(terminal)
        assert "left" not in printed(terminal)


@pytest.mark.usefixtures("terminal")
def test_the_bar_appears_after_two_seconds(clock: Clock) -> None:
    with stage("Reading recipes", 9_000) as advance:
        work(clock, advance, seconds=2)
        assert bars() == []
        work(clock, advance, seconds=0.1)
        assert bars() == ["Reading recipes"]


def test_the_bar_goes_away_and_a_line_stays(clock: Clock, terminal: Console) -> None:
    with stage("Reading recipes", 3_000) as advance:
        work(clock, advance)
    assert bars() == []
    assert printed(terminal).splitlines()[-1].endswith("Reading recipes: 3,000 in 3 s")


def test_a_short_stage_says_nothing(clock: Clock, terminal: Console) -> None:
    with stage("Reading recipes", 3_000) as advance:
        work(clock, advance, seconds=2)
    assert printed(terminal) == ""


def test_in_a_pipe_there_is_no_bar_but_the_line(clock: Clock, pipe: Console) -> None:
    with stage("Reading recipes", 3_000) as advance:
        work(clock, advance)
        assert printed(pipe) == ""
    assert printed(pipe) == "Reading recipes: 3,000 in 3 s\n"


def test_a_stage_that_fails_leaves_no_bar_and_no_line(clock: Clock, pipe: Console) -> None:
    with pytest.raises(KeyboardInterrupt), stage("Reading recipes") as advance:  # noqa: PT012
        work(clock, advance)
        raise KeyboardInterrupt
    assert printed(pipe) == ""
    assert bars() == []


def test_stages_of_several_threads_are_shown_together(clock: Clock, terminal: Console) -> None:
    with stage("Reading recipes") as advance:
        work(clock, advance)

        def another() -> None:
            with stage("Composing [x]") as advance:
                work(clock, advance)
                assert bars() == ["Reading recipes", r"Composing \[x]"]
                terminal.print()

        thread = threading.Thread(target=another)
        thread.start()
        thread.join()
        assert "Composing [x]: 3,000 in 3 s" in printed(terminal)
        assert bars() == ["Reading recipes"]


def test_beside_another_bar_a_stage_disturbs_nothing(clock: Clock, terminal: Console) -> None:
    with bars_on(terminal) as training:
        training.add_task("training", clock="")
        with stage("Composing") as advance:
            work(clock, advance)
        assert training.live.is_started
    assert "Composing: 3,000 in 3 s" in printed(terminal)


def test_where_nobody_looks_a_stage_does_nothing(clock: Clock, capfd: pytest.CaptureFixture[str]) -> None:
    with stage("Reading recipes") as advance:
        work(clock, advance)
    assert capfd.readouterr().out == ""


def test_a_console_within_another_has_the_stages_to_itself(clock: Clock, pipe: Console) -> None:
    inner = Console(file=io.StringIO(), width=100)
    with shown_on(inner), stage("Reading recipes") as advance:
        work(clock, advance)
    with stage("Composing") as advance:
        work(clock, advance)
    assert (printed(inner), printed(pipe)) == ("Reading recipes: 3,000 in 3 s\n", "Composing: 3,000 in 3 s\n")


@pytest.mark.usefixtures("terminal")
def test_what_is_left_is_reckoned_anew_where_the_number_was_not_known(clock: Clock) -> None:
    with stage("Reading recipes") as advance:
        clock.seconds += 3
        advance(3_000, 9_000)
        shown = progress._SHOWN.bars
        assert shown is not None
        assert shown.tasks[0].total == 9_000
        clock.seconds += 3
        advance(3_000, 12_000)
        assert (shown.tasks[0].completed, shown.tasks[0].total) == (6_000, 12_000)


@pytest.mark.usefixtures("indonesian")
def test_numbers_are_written_in_the_chosen_language(clock: Clock, pipe: Console) -> None:
    with stage("Membaca resep") as advance:
        work(clock, advance)
    assert "3.000" in printed(pipe)
