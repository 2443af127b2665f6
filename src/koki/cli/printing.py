"""What the verbs print on: standard output, standard error, and JSON."""

import json
import sys
from typing import Any

from koki.terminal import SafeConsole, harmless

out = SafeConsole()
err = SafeConsole(stderr=True)


def print_json(content: Any, indent: int | None = 2) -> None:
    """Print JSON to standard output, on one line where ``indent`` is None."""
    escaped = not (sys.stdout and sys.stdout.encoding.lower().startswith("utf"))  # where a letter could not be printed
    print(harmless(json.dumps(content, ensure_ascii=escaped, indent=indent)))  # noqa: T201
