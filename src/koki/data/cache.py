"""The user's cache on disk: files and a few facts under a name that says what they were made of.

    ~/.cache/koki/tokens/3f2a.../  00000.safetensors  ...  facts.json  seal.json
    ~/.cache/koki/tokens/.making-90c1.../  what is made of another one, until it is whole

An entry is made beside, sealed (`koki.files.write_seal`) and renamed, so nobody sees half of one. Who makes it again
after an interruption goes on with what is there. Where two processes make the same entry at once, that of the later
one is dropped. An entry that does not match its seal counts as none. Nothing in the cache is needed: where it cannot be
written, everything works without it. Nor is it used where others than this user may write: a seal tells what is
damaged, not who made it.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from koki import files
from koki.errors import ConfigError
from koki.language import _
from koki.lock import hold
from koki.user_cache import remove_abandoned, user_cache_folder, why_not_trusted

_SEAL: Final = "seal.json"
_FACTS: Final = "facts.json"
_MAKING: Final = ".making-"

LONGEST_FACTS: Final = 1_000_000_000  # bytes; those of 440,000 conversations have 2,000,000

# Bytes of all entries together, without the one just written; 440,000 conversations take about 70 MB.
_MOST_BYTES: Final = 2 * 10**9


class Entry(NamedTuple):
    """What was kept: a folder of files, and JSON-ready facts."""

    folder: Path
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
        why_none: why there is no folder, where there is none.
    """

    def __init__(self, folder: Path | None, most_bytes: int = _MOST_BYTES, why_none: str = "") -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._why_none = why_none or _("there is no home folder")

    def find(self, name: str) -> Entry | None:
        """The entry of this name, if it is there and whole."""
        if self._folder is None:
            return None
        folder = self._folder / name
        try:
            if why_not_trusted(self._folder) or not _is_whole(folder):
                return None
            facts = json.loads(files.read_bytes(folder / _FACTS, LONGEST_FACTS))
        except (OSError, ValueError):
            return None
        with suppress(OSError):
            os.utime(folder)
        return Entry(folder, facts)

    @contextmanager
    def making(self, name: str) -> Iterator[Path]:
        """A folder for what an entry is made of; the same one again where it was not made to the end.

        Where the cache cannot be used, or another process makes this entry now, it is a new one elsewhere.
        """
        with ExitStack() as held:
            yield self._held(name, held) or Path(tempfile.mkdtemp(prefix="koki-"))

    def keep(self, name: str, folder: Path, facts: Mapping[str, Any]) -> Path | str:
        """Keep the files of a folder, and facts, under a name; the folder, of those that `making` gives, is moved.

        Returns:
            Where they are now, or why they cannot be kept.
        """
        if self._folder is None:
            return self._why_none
        try:
            if why := self._why_not():
                return why
            (folder / _FACTS).write_text(json.dumps(facts), "ascii")
            files.write_seal(folder, _SEAL, {})
            _publish(folder, self._folder / name)
        except OSError as error:
            return str(error)
        self._tidy(keep=name)
        return self._folder / name

    def _held(self, name: str, held: ExitStack) -> Path | None:
        """A folder in the cache that no other process uses meanwhile; None if there can be none."""
        try:
            if self._folder is None or self._why_not():
                return None
            folder = self._folder / f"{_MAKING}{name}"
            folder.mkdir(exist_ok=True)
            os.utime(folder)
            try:
                held.enter_context(hold(folder))
            except ConfigError:  # another process makes the same
                return Path(tempfile.mkdtemp(prefix=_MAKING, dir=self._folder))
        except OSError:
            return None
        return folder

    def _why_not(self) -> str | None:
        """Why nothing can be kept in the folder, which is made if it is not there."""
        assert self._folder is not None
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return why_not_trusted(self._folder)

    def _entries(self) -> list[Path]:
        """The folders of all entries, the one used last first."""
        try:
            folders = [folder for folder in (self._folder or Path(os.devnull)).iterdir() if folder.name[0] != "."]
            return sorted(folders, key=_used, reverse=True)
        except OSError:
            return []

    def _tidy(self, keep: str) -> None:
        """Delete the entries beyond the limit, and what was begun and not gone on with.

        Of large entries two may stay, lest who works with both makes each of them again and again.
        """
        sizes = {folder: sum(map(_size, folder.glob("*"))) for folder in self._entries()}
        left = max(self._most_bytes, *(size for folder, size in sizes.items() if folder.name == keep), 0)
        for folder, size in sizes.items():
            if folder.name != keep:
                left -= size
                if left < 0:
                    shutil.rmtree(folder, ignore_errors=True)
        if self._folder is not None:
            remove_abandoned(self._folder, f"{_MAKING}*")


def fingerprint(*parts: Any) -> str:
    """32 hex digits that tell these parts, which are JSON-ready, from others."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _publish(making: Path, folder: Path) -> None:
    if folder.exists() and not _is_whole(folder):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        making.rename(folder)
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
