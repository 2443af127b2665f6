"""Checkpoints: written beside, sealed, renamed; found again only when whole.

A checkpoint is a folder ``checkpoint-N`` in Hugging Face's layout plus a seal, ``koki_checkpoint.json``: the run's
identity (what the result depends on) and the size and SHA-256 of every file. A folder without a valid seal was not
written to the end.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from koki.errors import CheckpointError

SEAL = "koki_checkpoint.json"
STAGING = ".writing"

Identity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole checkpoint."""

    folder: Path
    step: int
    identity: Identity


@dataclass(frozen=True, slots=True)
class Search:
    """What was found in a run folder: the newest whole checkpoint, and why newer ones were passed over."""

    newest: Checkpoint | None
    passed_over: tuple[str, ...]


def find_newest(run_folder: Path) -> Search:
    """The newest checkpoint that is whole; damaged ones are left where they are and named."""
    passed_over: list[str] = []
    for folder in sorted(_folders(run_folder), key=_step, reverse=True):
        flaw = _flaw(folder)
        if flaw is None:
            identity = json.loads((folder / SEAL).read_text("utf-8"))["identity"]
            return Search(Checkpoint(folder, _step(folder), identity), tuple(passed_over))
        passed_over.append(f"{folder.name}: {flaw}")
    return Search(None, tuple(passed_over))


def require_same_run(checkpoint: Checkpoint, identity: Identity) -> None:
    """Check that a checkpoint was made by the very run that wants to go on from it.

    Args:
        identity: name -> value of what the result depends on; names that only one side has are not compared, so
            that settings can be checked before the data is read.

    Raises:
        CheckpointError: names each difference with old and new value.
    """
    differences = [
        f"  {name}: {checkpoint.identity[name]!r} there, {value!r} now"
        for name, value in identity.items()
        if name in checkpoint.identity and checkpoint.identity[name] != value
    ]
    if differences:
        raise CheckpointError(
            f"{checkpoint.folder} was made with other data or settings:\n" + "\n".join(differences),
            "Use the old ones to go on from it, --fresh to start over, or another --output.",
        )


def publish(run_folder: Path, staged: Path, identity: Identity, keep: int) -> Path:
    """Seal a checkpoint written in the staging folder, move it into the run folder and remove the oldest.

    The staging folder lies inside the run folder, so the move is a rename: after a crash there is the whole
    checkpoint or none of it.
    """
    files = {
        file.relative_to(staged).as_posix(): {"bytes": file.stat().st_size, "sha256": _sha256(file)}
        for file in sorted(staged.rglob("*"))
        if file.is_file()
    }
    write_json(staged / SEAL, {"identity": identity, "files": files})
    target = run_folder / staged.name
    if target.exists():
        shutil.rmtree(target)
    staged.rename(target)
    for old in sorted(_folders(run_folder), key=_step)[:-keep]:
        shutil.rmtree(old)
    return target


def staging_folder(run_folder: Path) -> Path:
    """An empty folder inside the run folder, for what is not yet whole."""
    folder = run_folder / STAGING
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON beside, flush it to disk, then rename: there is the old file or the new one."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _folders(run_folder: Path) -> list[Path]:
    if not run_folder.is_dir():
        return []
    return [entry for entry in run_folder.iterdir() if entry.is_dir() and re.fullmatch(r"checkpoint-\d+", entry.name)]


def _step(folder: Path) -> int:
    return int(folder.name.removeprefix("checkpoint-"))


def _flaw(folder: Path) -> str | None:
    """What is wrong with a checkpoint; None when it is whole."""
    try:
        files = json.loads((folder / SEAL).read_text("utf-8"))["files"]
        for name, expected in files.items():
            if (folder / name).stat().st_size != expected["bytes"]:
                return f"{name} has another size than when it was saved"
            if _sha256(folder / name) != expected["sha256"]:
                return f"{name} has changed since it was saved"
    except FileNotFoundError as error:
        return f"{Path(str(error.filename)).name} is missing; it was not written to the end"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"its seal cannot be read ({error})"
    return None


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
