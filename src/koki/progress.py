"""How far a stage of the work is: a bar on the terminal while it lasts, and a line that stays.

What takes two seconds or less is not worth a word.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, Final, Protocol

from rich.console import Console
from rich.errors import LiveError
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from koki.formatting import duration
from koki.language import _, number

# Seconds that a stage may last before it is shown.
_UNSEEN: Final = 2.0


class _Shown:
    """Holds the bars of the stages that go on now, in whichever thread; None where nobody looks."""

    bars: Progress | None = None


_SHOWN: Final = _Shown()


def bars_on(console: Console, **options: Any) -> Progress:
    """Bars with a name, what is done of how much, and a field ``clock``; none on a console that is no terminal."""
    return Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[clock]}"),
        console=console,
        disable=not console.is_terminal,
        **options,
    )


@contextmanager
def shown_on(console: Console) -> Iterator[None]:
    """Show all stages, of all threads, on a console."""
    before = _SHOWN.bars
    # what is printed elsewhere meanwhile may be on its way into a file, and is not diverted to this console
    _SHOWN.bars = bars_on(console, transient=True, redirect_stdout=False, redirect_stderr=False)
    try:
        yield
    finally:
        _SHOWN.bars.stop()
        _SHOWN.bars = before


class Advance(Protocol):
    """Told how many more are done and, where that is not known from the start, of how many in all."""

    def __call__(self, count: int, total: int | None = None, /) -> None: ...


@contextmanager
def stage(what: str, total: int | None = None) -> Iterator[Advance]:
    """A part of the work; gives a function that is told how many more are done.

    Args:
        what: is done, as in "Reading recipes".
        total: number that will be done; None where it is not known.
    """
    if _SHOWN.bars is None:
        yield lambda _count, _total=None: None
        return
    shown = _Stage(_SHOWN.bars, what, total)
    try:
        yield shown.advance
    finally:
        shown.end()
    shown.say()


class _Stage:
    def __init__(self, bars: Progress, what: str, total: int | None) -> None:
        self._bars, self._what, self._total = bars, what, total
        self._done = 0
        self._started = monotonic()
        self._task: TaskID | None = None

    @property
    def _seconds(self) -> float:
        return monotonic() - self._started

    def advance(self, count: int, total: int | None = None) -> None:
        self._done += count
        self._total = self._total if total is None else total
        seconds = self._seconds
        if seconds <= _UNSEEN:
            return
        if self._task is None:
            self._task = self._bars.add_task(escape(self._what), total=self._total, clock="")
        self._bars.update(self._task, completed=self._done, total=self._total, clock=self._clock(seconds))
        with suppress(LiveError):  # another bar is on this console, and rich before 14.1 shows one at a time
            self._bars.start()

    def _clock(self, seconds: float) -> str:
        speed = _("{speed}/s", speed=number(self._done / seconds, ",.0f"))
        if self._total is None or not self._done:
            return speed
        left = duration(max(0.0, seconds / self._done * (self._total - self._done)))
        return _("{speed}, {time} left", speed=speed, time=left)

    def end(self) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
        if not self._bars.task_ids:
            self._bars.stop()

    def say(self) -> None:
        if self._seconds > _UNSEEN:
            said = _("{what}: {count:,} in {time}", what=self._what, count=self._done, time=duration(self._seconds))
            self._bars.console.print(said, highlight=False, markup=False, soft_wrap=True)
