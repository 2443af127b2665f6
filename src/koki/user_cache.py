"""The user's cache folder, and in it the digests of large files, so that a base of some gigabytes is read once."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from koki import files
from koki.language import _

_FILE: Final = "sha256.json"
_MOST_DIGESTS: Final = 1_000  # files; a base has a few, large ones some dozens
_MOST_BYTES: Final = 10_000_000
_ABANDONED_SECONDS: Final = 7 * 24 * 3600
# A file that was written to so shortly before may be written to again within the same tick of its clock.
_SETTLED_NANOSECONDS: Final = 2_000_000_000


def user_cache_folder() -> Path | None:
    """``KOKI_CACHE``, else Koki's folder where the system has caches; None if there is no home."""
    if given := os.environ.get("KOKI_CACHE"):
        return Path(given)
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "koki"
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "koki" / "Cache"
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "koki"


def remove_abandoned(folder: Path, names: str) -> None:
    """Remove folders, named by a pattern, in which nothing was begun for a week: a killed process left them."""
    for left in folder.glob(names):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                files.discard(left)


def why_not_trusted(folder: Path) -> str | None:
    """Why others than this user may have written what lies in a folder; None if they may not.

    Raises:
        OSError: there is no such folder.
    """
    if sys.platform == "win32":  # who may write where is said there in another way; a home is its user's
        return None
    found = folder.stat()
    if found.st_uid != os.getuid():
        return _("{folder} belongs to another user", folder=folder)
    if found.st_mode & 0o022:
        return _("others may write to {folder} (chmod go-w {folder})", folder=folder)
    return None


def sha256_of(paths: Iterable[Path]) -> list[str]:
    """SHA-256 of each file, in hexadecimal digits.

    A file is read from first to last byte, unless its path, size and times are those under which its digest was kept.

    Raises:
        OSError: a file cannot be read.
    """
    known, digests, news = _read(), [], {}
    for path in paths:
        name, stamp = str(path.resolve()), _stamp(path)
        kept = known.get(name)
        if isinstance(kept, list) and kept[:-1] == stamp:
            digests.append(str(kept[-1]))
            continue
        with path.open("rb") as content:
            digests.append(hashlib.file_digest(content, "sha256").hexdigest())
        if stamp == _stamp(path) and time.time_ns() - max(stamp[1:]) > _SETTLED_NANOSECONDS:
            news[name] = [*stamp, digests[-1]]
    if news:
        _write(_read() | news)
    return digests


def _stamp(path: Path) -> list[int]:
    """Size and times; that of the last change to the entry is there because a copy may keep that of the content."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _folder() -> Path | None:
    """A folder of its own, which others may not write to: the cache folder may be an older one that they may."""
    folder = user_cache_folder()
    return None if folder is None else folder / "digests"


def _read() -> dict[str, object]:
    folder = _folder()
    with suppress(OSError, ValueError, RecursionError):
        if folder is not None and not why_not_trusted(folder):
            known = json.loads(files.read_bytes(folder / _FILE, _MOST_BYTES))
            return known if isinstance(known, dict) else {}
    return {}


def _write(known: dict[str, object]) -> None:
    """Keep the newest digests; where that is not possible, the files are read again the next time.

    Of several processes that train on one machine, the first one writes.
    """
    if os.environ.get("LOCAL_RANK", "0") != "0":
        return
    folder = _folder()
    with suppress(OSError):
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            files.write_json(folder / _FILE, dict(list(known.items())[-_MOST_DIGESTS:]))
