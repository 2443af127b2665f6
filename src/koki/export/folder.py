"""The folder that an export is written to: a new one, or that of an earlier export."""

import difflib
import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from koki import files
from koki.errors import ConfigError, RunError
from koki.gguf.of_run import LONGEST_RECORD, RECORD
from koki.language import _


def require_ours(folder: Path, mark: str) -> None:
    """Check that to write a folder costs nobody another: there is none, or an empty one, or an earlier export.

    Args:
        mark: the key that the export.json of every export of this kind has.

    Raises:
        ConfigError: something else is there.
        OSError: what is there cannot be read.
    """
    if not folder.exists() or (folder.is_dir() and all(it.name.startswith(files.BESIDE) for it in folder.iterdir())):
        return
    try:
        record = json.loads(files.read_bytes(folder / RECORD, LONGEST_RECORD))
    except (OSError, ValueError, RecursionError):
        record = None
    if not isinstance(record, dict) or mark not in record:
        raise ConfigError(
            _("{folder} is there, and is not what this command writes.", folder=folder),
            _("Give --output another name."),
        )


@contextmanager
def gone_if_it_fails(folder: Path) -> Iterator[None]:
    """Make a folder; where it was not there before, it goes again if what is done in it fails.

    Raises:
        RunError: it cannot be written to.
    """
    was_there = folder.exists()
    with files.failing_as(RunError, folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            yield
        except BaseException:
            if not was_there:
                shutil.rmtree(folder, ignore_errors=True)
            raise


def require_known(name: str, known: Iterable[str], what: str) -> None:
    """Check the name of a type.

    Args:
        what: what is said where there is none.

    Raises:
        ConfigError: there is none of that name; names the nearest, and all.
    """
    names = list(known)
    if name not in names:
        near = difflib.get_close_matches(name.lower(), names, n=1)
        meant = [_("Did you mean {name}?", name=near[0])] if near else []
        raise ConfigError(" ".join([_(what, name=name), *meant]), _("There are {names}.", names=", ".join(names)))
