"""Lines to the user, and output that outlives its reader: a terminal that is closed, a pipe whose other end is gone."""

import os
from typing import IO, Any

from rich.console import Console


def outlive_reader(console: Console) -> None:
    """From now on drop what a console cannot print, without an error: hours of training must not be lost to it."""
    if not isinstance(console.file, _SteadyFile):
        console.file = _SteadyFile(console.file)  # type: ignore[assignment]  # it has all that rich uses of a file


def say(console: Console, label: str, text: str) -> None:
    """Print a line with a label; the text, which may be a path, is neither read as markup nor wrapped."""
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
        """Write to the null device from now on, so that what is still buffered does not fail when Python exits."""
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self._file.fileno())
        os.close(nothing)
