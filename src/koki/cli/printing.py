"""What the verbs print on: standard output, standard error, and JSON."""

import json
import sys
from typing import Any

from rich.console import Console

out = Console()
err = Console(stderr=True)


def print_json(content: Any, indent: int | None = 2) -> None:
    """Print JSON to standard output, on one line where ``indent`` is None."""
    escaped = not (sys.stdout and sys.stdout.encoding.lower().startswith("utf"))  # where a letter could not be printed
    print(json.dumps(content, ensure_ascii=escaped, indent=indent))  # noqa: T201
