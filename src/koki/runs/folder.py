"""The run folder: opened without harm to what is in it; its configuration kept, and what its recipes were."""

import json
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from koki.config import RunConfig, to_yaml
from koki.errors import ConfigError
from koki.files import free_name, read_bytes, write_json, write_text
from koki.formatting import gigabytes
from koki.language import _, in_english
from koki.lock import LOCK, hold
from koki.recipes.digests import Digests
from koki.runs import checkpoints
from koki.runs.names import CONFIG, METADATA, RECIPES
from koki.terminal import harmless

_LONGEST: Final = 100_000_000  # bytes of the recipes' digests; those of a million recipes take 17 million

# How the configuration of a run starts: others have a config.yaml too.
_CONFIG_START: Final = "# Run it again: koki train"


@dataclass(frozen=True, slots=True)
class OpenRunFolder:
    """A run folder that no other run uses.

    Attributes:
        set_aside: where an earlier run lies now; None unless one was set aside.
        unlocked: why the folder could not be locked; None where it is.
    """

    path: Path
    set_aside: Path | None
    unlocked: str | None


@contextmanager
def open_run_folder(output: str, *, fresh: bool) -> Iterator[OpenRunFolder]:
    """Make the run folder, or find it, and keep others out of it while entered.

    Args:
        output: the folder's path.
        fresh: set an earlier run aside, under another name, instead of going on from it.

    Raises:
        ConfigError: the path is a file, cannot be written, holds something other than a run, or another run uses it; or
            its name has characters that steer a terminal, or start another line in the files that name it.
    """
    folder = Path(output).expanduser()
    if harmless(output) != output or {"\n", "\t"} & set(output):
        raise ConfigError(
            _("output {output!r} has control characters in it.", output=output), _("Choose another: --output DIR")
        )
    with ExitStack() as lock:
        try:
            _require_room_for_a_run(folder)
            set_aside = _set_aside(folder) if fresh and folder.exists() else None
            folder.mkdir(parents=True, exist_ok=True)
            unlocked = lock.enter_context(hold(folder))
        except OSError as error:
            raise ConfigError(
                _("output {folder} cannot be used: {error}.", folder=folder, error=error),
                _("Choose another: --output DIR"),
            ) from error
        yield OpenRunFolder(folder, set_aside, unlocked)


def require_seen(folder: Path) -> None:
    """Check that this process sees the run folder, which the first of several processes has opened.

    Raises:
        ConfigError: it does not: it runs on another machine.
    """
    if not folder.is_dir():
        raise ConfigError(
            _("output {folder} is not there on {node}.", folder=folder, node=platform.node()),
            _("The machines of one run need an output folder that all of them see: --output DIR on a network drive."),
        )


def require_space(folder: Path, needed: float) -> None:
    """Check that the disk has room for what a run will write, in bytes: `koki.training.costs.Costs.disk`.

    Raises:
        ConfigError: it has not.
    """
    # checkpoints that are there already will be rotated away
    there = sum(file.stat().st_size for old in checkpoints.folders(folder) for file in old.iterdir() if file.is_file())
    free = shutil.disk_usage(folder).free
    if free + there < needed:
        raise ConfigError(
            _(
                "{folder} needs about {needed} for its checkpoints and the result; {free} are free.",
                folder=folder,
                needed=gigabytes(needed - there),
                free=gigabytes(free),
            ),
            _("Make room, keep fewer checkpoints (--set training.save_total_limit=1), or choose another: --output DIR"),
        )


def write_config(folder: Path, config: RunConfig) -> None:
    """Write the configuration, enough to run it again."""
    with in_english():
        text = f"{_CONFIG_START} --config {folder / CONFIG}\n{to_yaml(config)}"
    write_text(folder / CONFIG, text)


def write_recipes(folder: Path, digests: Digests) -> None:
    """Keep the digests of the recipes, by which a later run can say which of its own are others."""
    write_json(folder / RECIPES, {name: " ".join(ones) for name, ones in digests.items()})


def kept_recipes(folder: Path) -> Digests | None:
    """The digests that `write_recipes` kept; None where an older version kept none, or they cannot be read."""
    try:
        kept = json.loads(read_bytes(folder / RECIPES, _LONGEST))
        return {name: ones.split() for name, ones in TypeAdapter(dict[str, str]).validate_python(kept).items()}
    except (OSError, ValueError, RecursionError):
        return None


def _require_room_for_a_run(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ConfigError(_("output {folder} is a file.", folder=folder), _("Choose a folder: --output DIR"))
    if folder.is_dir() and any(folder.iterdir()) and not _is_a_run(folder):
        raise ConfigError(
            _("output {folder} is not empty and was not made by Koki.", folder=folder),
            _("Choose another: --output DIR"),
        )


def _is_a_run(folder: Path) -> bool:
    if (folder / LOCK).exists() or (folder / METADATA).exists():
        return True
    try:
        return read_bytes(folder / CONFIG, _LONGEST).startswith(_CONFIG_START.encode())
    except FileNotFoundError:
        return False


def _set_aside(folder: Path) -> Path | None:
    """Rename the folder of an earlier run, if it is one and no run is using it."""
    if all(entry.name == LOCK for entry in folder.iterdir()):
        return None
    with hold(folder):
        if sys.platform != "win32":
            return folder.rename(free_name(folder, "old"))
    return folder.rename(free_name(folder, "old"))  # Windows renames no folder with an open file
