"""What the verbs print on: standard output, standard error, and JSON."""

import json
import sys
from typing import Any

from rich.console import Console

from koki.terminal import SafeConsole, harmless

out = SafeConsole()
err = SafeConsole(stderr=True)


def print_line(text: str, console: Console = out, *, style: str | None = None) -> None:
    """Print a text as it is: not wrapped, and without colours for what looks like a number or markup."""
    console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)


def print_json(content: Any, indent: int | None = 2) -> None:
    """Print JSON to standard output, on one line where ``indent`` is None."""
    escaped = not (sys.stdout and sys.stdout.encoding.lower().startswith("utf"))  # where a letter could not be printed
    print(harmless(json.dumps(content, ensure_ascii=escaped, indent=indent)))  # noqa: T201
