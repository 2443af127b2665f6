"""The grammar of Ollama's Modelfile, as its documentation and its parser have it: instructions, values, comments."""

import unicodedata
from typing import Final

_INSTRUCTIONS: Final = {"FROM", "TEMPLATE", "SYSTEM", "PARAMETER", "LICENSE", "ADAPTER", "MESSAGE", "REQUIRES"}


def parse_modelfile(text: str) -> list[tuple[str, str]]:
    """Each instruction with its value; that of a PARAMETER is under its own name."""
    found: list[tuple[str, str]] = []
    lines = iter(text.split("\n"))
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, value = line.lstrip().partition(" ")
        assert name.upper() in _INSTRUCTIONS, name
        if name.upper() == "PARAMETER":
            name, _, value = value.partition(" ")
        value = _printed(value)
        while (whole := _unquoted(value.strip())) is None:
            value += "\n" + _printed(next(lines))
        found.append((name, whole))
    return found


def _unquoted(value: str) -> str | None:
    """The value without its quotes; None where it is not at its end."""
    for quotes in ('"""', '"'):
        if value.startswith(quotes):
            is_whole = len(value) >= 2 * len(quotes) and value.endswith(quotes)
            return value[len(quotes) : -len(quotes)] if is_whole else None
    return value


def _printed(line: str) -> str:
    """What Go calls printable, with blanks and tabs; all else is dropped."""
    return "".join(c for c in line if c in " \t\r" or unicodedata.category(c)[0] in "LMNPS")
