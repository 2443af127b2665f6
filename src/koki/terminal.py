"""Lines to the user: nothing in them steers the terminal, and they outlive a reader that is gone.

A recipe, an answer or the name of a file may hold characters that a terminal obeys: those that move its cursor, change
its title or its colours, or turn the direction of a line around.
"""

import os
from collections.abc import Iterable
from typing import IO, Any, Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

# All control characters (C0 and C1) but those that end a line or indent it, and those that set the direction of text.
_STEERING: Final = {
    *range(0x20),
    *range(0x7F, 0xA0),
    0x61C,
    0x200E,
    0x200F,
    *range(0x2028, 0x202F),  # the first two end a line, of YAML too
    *range(0x2066, 0x206A),
}
_SHOWN: Final = {code: f"\\u{code:04x}" for code in _STEERING - {ord("\n"), ord("\t")}}


def harmless(text: str) -> str:
    """The text with what would steer a terminal written out, as ``\\u001b``, which JSON reads as before."""
    return text.translate(_SHOWN)


class SafeConsole(Console):
    """A console on which all that is printed is `harmless`, and no ``:egg:`` becomes a picture."""

    def __init__(self, **options: Any) -> None:
        super().__init__(emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """As rich's; here, where the width of a line is not yet reckoned."""
        return super().render_str(harmless(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As rich's, which everything that is printed goes through; what steers on purpose is a control segment."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=harmless(segment.text))


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
