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

_DIGESTS: Final = "digests.json"
_MOST_DIGESTS: Final = 1_000  # files; a base has a few, large ones some dozens
_MOST_BYTES: Final = 10_000_000
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


def _read() -> dict[str, object]:
    folder = user_cache_folder()
    with suppress(OSError, ValueError, RecursionError):
        if folder is not None and isinstance(
            known := json.loads(files.read_bytes(folder / _DIGESTS, _MOST_BYTES)), dict
        ):
            return known
    return {}


def _write(known: dict[str, object]) -> None:
    """Keep the newest digests; where that is not possible, the files are read again the next time."""
    folder = user_cache_folder()
    with suppress(OSError):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            files.write_json(folder / _DIGESTS, dict(list(known.items())[-_MOST_DIGESTS:]))
