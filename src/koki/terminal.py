"""A line to the user; output that outlives its reader: a terminal that is closed, a pipe whose other end is gone."""

import os
from typing import IO, Any

from rich.console import Console


def outlive_reader(console: Console) -> None:
    """From now on drop what a console cannot print, without an error: hours of training must not die of it."""
    if not isinstance(console.file, _SteadyFile):
        console.file = _SteadyFile(console.file)  # type: ignore[assignment]  # a file in all that rich asks of it


def say(console: Console, label: str, text: str) -> None:
    """A line of the report at the start; a path in it is text and is not wrapped."""
    console.print(f"{label:<12}{text}", highlight=False, markup=False, soft_wrap=True)


class _SteadyFile:
    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except OSError:
            self._point_at_nothing()
            return len(text)

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            self._point_at_nothing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def _point_at_nothing(self) -> None:
        """So that what is buffered fails no more, at the latest when Python flushes at exit."""
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self._file.fileno())
        os.close(nothing)
