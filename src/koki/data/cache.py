"""The user's cache on disk: flat arrays and a few facts under a name that says what they were made of.

    ~/.cache/koki/tokens/3f2a...-90c1.../  tokens.npy  ...  facts.json  seal.json

An entry is written beside, sealed (`koki.files.write_seal`) and renamed, so nobody sees half of one. Where two
processes make the same entry, that of the later one is dropped. An entry that does not match its seal counts as none.
Nothing in the cache is needed: where it cannot be written, everything works without it. Nor is it used where others
than this user may write: a seal tells what is damaged, not who made it.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from koki import files
from koki.language import _
from koki.tokens.store import Numbers
from koki.user_cache import user_cache_folder, why_not_trusted

_SEAL: Final = "seal.json"
_FACTS: Final = "facts.json"
_WRITING: Final = ".writing-"
_ABANDONED_SECONDS: Final = 24 * 3600

_LONGEST_FACTS: Final = 100_000_000  # bytes; those of 440,000 conversations have 2,000,000

# Bytes of all entries together, without the one just written; 440,000 conversations take about 130 MB.
_MOST_BYTES: Final = 2 * 10**9


class Entry(NamedTuple):
    """What was kept: arrays, which are memory-mapped and read-only, and JSON-ready facts."""

    arrays: dict[str, Numbers]
    facts: dict[str, Any]


def user_folder() -> Path | None:
    """Where this user's entries lie; None if there is no home."""
    folder = user_cache_folder()
    return None if folder is None else folder / "tokens"


class Cache:
    """Entries in a folder.

    Args:
        folder: made when it is needed; None finds and keeps nothing.
        most_bytes: of all entries together; what was used longest ago goes first.
    """

    def __init__(self, folder: Path | None, most_bytes: int = _MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def find(self, name: str) -> Entry | None:
        """The entry of this name, if it is there and whole."""
        if self._folder is None:
            return None
        folder = self._folder / name
        try:
            if why_not_trusted(self._folder) or not _is_whole(folder):
                return None
            sealed = files.read_seal(folder, _SEAL)["files"]
            arrays = {
                Path(name).stem: np.load(folder / name, mmap_mode="r", allow_pickle=False)
                for name in sealed
                if name.endswith(".npy")
            }
            facts = json.loads(files.read_bytes(folder / _FACTS, _LONGEST_FACTS))
        except (OSError, ValueError):
            return None
        with suppress(OSError):
            os.utime(folder)
        return Entry(arrays, facts)

    def find_like(self, start: str) -> Entry | None:
        """The whole entry that was used last among those whose names start with this; None if there is none."""
        names = (folder.name for folder in self._entries() if folder.name.startswith(start))
        return next((entry for entry in map(self.find, names) if entry is not None), None)

    def keep(self, name: str, arrays: Mapping[str, Numbers], facts: Mapping[str, Any]) -> str | None:
        """Keep arrays and facts under a name.

        Returns:
            None, or why they cannot be kept.
        """
        if self._folder is None:
            return _("there is no home folder")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if why := why_not_trusted(self._folder):
                return why
            writing = Path(tempfile.mkdtemp(prefix=_WRITING, dir=self._folder))
        except OSError as error:
            return str(error)
        try:
            _write(writing, arrays, facts)
            _publish(writing, self._folder / name)
        except OSError as error:
            return str(error)
        finally:
            shutil.rmtree(writing, ignore_errors=True)
        self._tidy(keep=name)
        return None

    def _entries(self) -> list[Path]:
        """The folders of all entries, the one used last first."""
        try:
            folders = [folder for folder in (self._folder or Path(os.devnull)).iterdir() if folder.name[0] != "."]
            return sorted(folders, key=_used, reverse=True)
        except OSError:
            return []

    def _tidy(self, keep: str) -> None:
        """Delete the entries beyond the limit, and what processes left behind that died while they wrote."""
        left = self._most_bytes
        for folder in self._entries():
            left -= sum(_size(file) for file in folder.glob("*")) if folder.name != keep else 0
            if left < 0 and folder.name != keep:
                shutil.rmtree(folder, ignore_errors=True)
        for writing in self._folder.glob(f"{_WRITING}*") if self._folder else ():
            if time.time() - _used(writing) > _ABANDONED_SECONDS:
                shutil.rmtree(writing, ignore_errors=True)


def fingerprint(*parts: Any) -> str:
    """32 hex digits that tell these parts, which are JSON-ready, from others."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _write(folder: Path, arrays: Mapping[str, Numbers], facts: Mapping[str, Any]) -> None:
    for name, numbers in arrays.items():
        np.save(folder / f"{name}.npy", numbers, allow_pickle=False)
    (folder / _FACTS).write_text(json.dumps(facts), "ascii")
    files.write_seal(folder, _SEAL, {})


def _publish(writing: Path, folder: Path) -> None:
    if folder.exists() and not _is_whole(folder):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        writing.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was faster, with the same content
            raise


def _is_whole(folder: Path) -> bool:
    return files.flaw_of(folder, _SEAL) is None


def _used(folder: Path) -> float:
    """When an entry was last used, in seconds; 0 if it is gone meanwhile."""
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
