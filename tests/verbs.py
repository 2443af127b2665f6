"""The verbs of the command line, as they are typed."""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from koki.cli.app import app


def _verbs_of(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, verb in group.commands.items():
        if verb.hidden:
            continue
        if hasattr(verb, "commands"):
            yield from _verbs_of(verb, f"{name} ")
        else:
            yield before + name, verb


VERBS = dict(_verbs_of(get_command(app)))
