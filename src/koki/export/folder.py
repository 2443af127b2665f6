"""The folder that an export is written to: a new one, or that of an earlier export."""

import difflib
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from koki import files
from koki.errors import ConfigError
from koki.gguf.of_run import LONGEST_RECORD, RECORD
from koki.language import _

_BESIDE: Final = ".new-"  # how what is not whole yet is named


def require_ours(folder: Path, mark: str) -> None:
    """Check that to write a folder costs nobody another: there is none, or an empty one, or an earlier export.

    Args:
        mark: the key that the export.json of every export of this kind has.

    Raises:
        ConfigError: something else is there.
        OSError: what is there cannot be read.
    """
    if not folder.exists() or (folder.is_dir() and all(it.name.startswith(_BESIDE) for it in folder.iterdir())):
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
def replacing(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of ``folder`` once it is whole; until then the old one stays.

    Raises:
        OSError: it cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=_BESIDE, dir=folder.parent) as beside:
        new = Path(beside) / "new"
        new.mkdir()
        yield new
        files.flush_tree(new)
        if folder.exists():
            folder.rename(Path(beside) / "old")
        new.rename(folder)
    files.flush_folder(folder.parent)


@contextmanager
def gone_if_it_fails(folder: Path) -> Iterator[None]:
    """Make a folder; where it was not there before, it goes again if what is done in it fails."""
    was_there = folder.exists()
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
