"""What Koki tells the program that uses it: through Python's logging, which is silent unless somebody listens."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any, Final

from rich.console import Console

from koki.language import N_, _
from koki.terminal import SafeConsole

LOG: Final = logging.getLogger("koki")
"""Notices of Koki's; ``logging.basicConfig(level=logging.INFO)`` shows them."""

LOG.addHandler(logging.NullHandler())  # else Python prints warnings that nobody listens to

WARNING: Final = N_("Warning")
"""The label of a line that says what is wrong."""


class LogConsole(SafeConsole):
    """A console whose lines are logged: a table as one notice, a line with the label `WARNING` as a warning."""

    def __init__(self) -> None:
        # neither, whatever surrounds it: a notebook says it is both, and would show a bar of rich's and empty outputs
        super().__init__(file=StringIO(), width=100, color_system=None, force_terminal=False, force_jupyter=False)

    def print(self, *objects: Any, **options: Any) -> None:
        """As rich's, to the log."""
        if self.quiet:
            return
        with self.capture() as said:
            super().print(*objects, **options)
        is_warning = bool(objects) and str(objects[0]).startswith(_(WARNING))
        LOG.log(logging.WARNING if is_warning else logging.INFO, "%s", said.get().rstrip())


class _Printer(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(record.getMessage(), highlight=False, markup=False, soft_wrap=True)


@contextmanager
def printing_warnings(console: Console) -> Iterator[None]:
    """Meanwhile print warnings on a console, for whoever sits before a terminal."""
    printer = _Printer(console)
    LOG.addHandler(printer)
    try:
        yield
    finally:
        LOG.removeHandler(printer)


def are_printed() -> bool:
    """Whether warnings are printed now."""
    return any(isinstance(handler, _Printer) for handler in LOG.handlers)
