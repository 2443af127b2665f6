"""Checkpoints: written beside, sealed, flushed, renamed; found again only when whole.

A checkpoint is a folder ``checkpoint-N`` in Hugging Face's layout plus a seal, ``koki_checkpoint.json``: the run's
identity (what the result depends on), the size and SHA-256 of every file, and the SHA-256 of all that. A folder without
a valid seal was not written to the end.

A save is these steps, and a crash between any two of them leaves every earlier checkpoint as it was:

    write files in .writing/checkpoint-N -> seal -> flush files and folders to disk -> rename into the run folder
    -> flush the run folder -> read the new checkpoint again -> move the oldest into .writing -> delete .writing
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError

from koki import files
from koki.errors import CheckpointError
from koki.language import _

SEAL: Final = "koki_checkpoint.json"
STAGING: Final = ".writing"

# What a failing disk raises: Python's own error, that of torch's C++ writer, and that of safetensors' Rust writer.
WRITE_ERRORS: Final = (OSError, RuntimeError, SafetensorError)

Identity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole checkpoint."""

    folder: Path
    step: int
    identity: Identity


@dataclass(frozen=True, slots=True)
class Damaged:
    """A checkpoint that is not whole, and what is wrong with it."""

    folder: Path
    flaw: str


@dataclass(frozen=True, slots=True)
class Search:
    """What was found in a run folder: the newest whole checkpoint, and the damaged ones that are newer."""

    newest: Checkpoint | None
    damaged: tuple[Damaged, ...]


def folders(run_folder: Path) -> list[Path]:
    """Every checkpoint of a run folder, whole or not, but none that was set aside."""
    if not run_folder.is_dir():
        return []
    return [entry for entry in run_folder.iterdir() if entry.is_dir() and re.fullmatch(r"checkpoint-\d+", entry.name)]


def find_newest(run_folder: Path) -> Search:
    """The newest checkpoint that is whole; nothing is changed."""
    damaged: list[Damaged] = []
    for folder in sorted(folders(run_folder), key=_step, reverse=True):
        flaw = _flaw(folder)
        if flaw is None:
            return Search(Checkpoint(folder, _step(folder), _identity(folder)), tuple(damaged))
        damaged.append(Damaged(folder, flaw))
    return Search(None, tuple(damaged))


def newest_identity(run_folder: Path) -> Identity | None:
    """What the newest checkpoint says of its run, whether it is whole or not; None where none says anything.

    Only seals are read.
    """
    for folder in sorted(folders(run_folder), key=_step, reverse=True):
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            identity = _identity(folder)
            if isinstance(identity, dict):
                return identity
    return None


def by_loss(run_folder: Path, losses: Mapping[int, float]) -> list[Path]:
    """The checkpoints, whole or not, of the steps that have a loss, the lowest first; of equal ones the earlier.

    Args:
        losses: step -> held-out loss.
    """
    evaluated = [folder for folder in folders(run_folder) if _step(folder) in losses]
    return sorted(evaluated, key=lambda folder: (losses[_step(folder)], _step(folder)))


def find_best(run_folder: Path, losses: Mapping[int, float]) -> Checkpoint | None:
    """The whole checkpoint with the lowest loss; nothing is changed."""
    whole = (folder for folder in by_loss(run_folder, losses) if _flaw(folder) is None)
    return next((Checkpoint(folder, _step(folder), _identity(folder)) for folder in whole), None)


def set_aside(folder: Path) -> Path:
    """Rename a damaged checkpoint so that no search meets it again; nothing is deleted.

    Returns:
        Where it lies now, such as ``checkpoint-500.damaged-1``.
    """
    return folder.rename(files.free_name(folder, "damaged"))


def set_unknown_files_aside(checkpoint: Checkpoint) -> tuple[list[str], Path | None]:
    """Move what was not saved with a checkpoint out of it; nothing is deleted, and the checkpoint stays in use.

    The libraries load a folder's files by their names: a ``model.safetensors`` laid beside the adapter would silently
    take the base's place, a ``scaler.pt`` or a further adapter would be loaded too. A file whose name begins with a dot
    is a note of the system's (``.DS_Store``), which none of them reads.

    Returns:
        Their names, and where they lie now, such as ``checkpoint-500.unknown-1``; None where there are none.
    """
    folder = checkpoint.folder
    known = {Path(name) for name in (SEAL, *files.read_seal(folder, SEAL)["files"])}
    known |= {parent for name in known for parent in name.parents}
    names = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_dir() or path.name[0] != "."]
    unknown = [name for name in names if name not in known and name.parent in known]
    if not unknown:
        return [], None
    aside = files.free_name(folder, "unknown")
    for name in unknown:
        (aside / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).rename(aside / name)
    return [name.as_posix() for name in unknown], aside


def differences(there: Mapping[str, Any], identity: Identity) -> list[str]:
    """How an earlier run differs from the one that wants to go on from it.

    Args:
        there: the identity in a checkpoint of the earlier run, or its settings.
        identity: name -> value of what the result depends on; names that only one side has are not compared, so
            that settings can be looked at before the data are read.

    Returns:
        A text for each difference, with old and new value.
    """
    return [
        _("{name}: {old!r} there, {new!r} now", name=_(name), old=there[name], new=value)
        for name, value in identity.items()
        if name in there and there[name] != value
    ]


@contextmanager
def staging(run_folder: Path) -> Iterator[Path]:
    """An empty folder inside the run folder for what is not whole yet or not needed any more; gone afterwards.

    Raises:
        OSError: it cannot be made, also because the run folder is not there any more.
    """
    folder = run_folder / STAGING
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(run_folder: Path, staged: Path, identity: Identity) -> Path:
    """Seal a checkpoint written in the staging folder, flush it to disk and move it into the run folder.

    The staging folder lies inside the run folder, so the move is a rename: after a crash there is the whole
    checkpoint or none of it. A whole one of the same step and run that is already there stays: it is the same.
    """
    write_seal(staged, identity)
    files.flush_tree(staged)
    target = run_folder / staged.name
    if target.exists():
        if _flaw(target) is None and _identity(target) == identity:
            return target
        set_aside(target)
    staged.rename(target)
    files.flush_folder(run_folder)
    return target


def write_seal(folder: Path, identity: Identity) -> None:
    """Seal what a checkpoint's folder holds now, with the run's identity."""
    files.write_seal(folder, SEAL, {"identity": identity})


def rotate(run_folder: Path, newest: Path, keep: int, best: Path | None = None) -> None:
    """Delete all but ``keep`` checkpoints and the best, once the newest has been read again from first to last byte.

    That reading proves enough: every writer reports a failed write and every flush a delayed one, so what is left
    to go wrong is between the seal and now. Each old one is moved into the staging folder first, so that a crash
    leaves no half-deleted checkpoint.

    Raises:
        CheckpointError: the newest is not whole; nothing was deleted.
    """
    flaw = _flaw(newest)
    if flaw is not None:
        raise CheckpointError(_("{newest} was damaged as it was written: {flaw}.", newest=newest, flaw=flaw))
    others = sorted((folder for folder in folders(run_folder) if folder not in (newest, best)), key=_step)
    for old in others[: max(0, len(others) - (keep - 1))]:
        shutil.rmtree(old.rename(run_folder / STAGING / old.name))


def _step(folder: Path) -> int:
    return int(folder.name.removeprefix("checkpoint-"))


def _identity(folder: Path) -> Identity:
    identity: Identity = files.read_seal(folder, SEAL)["identity"]
    return identity


def _flaw(folder: Path) -> str | None:
    """What is wrong with a checkpoint; None when it is whole."""
    with suppress(OSError, ValueError, AttributeError, RecursionError):  # the seal's own flaws are told below
        if not isinstance(files.read_seal(folder, SEAL).get("identity"), dict):
            return _("its seal cannot be read (it names no run)")
    return files.flaw_of(folder, SEAL)
