"""A lock on a folder that dies with its process: the operating system holds it, so none is ever stale."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from koki.errors import ConfigError
from koki.language import _

LOCK: Final = ".lock"


@contextmanager
def hold(folder: Path) -> Iterator[str | None]:
    """Hold a folder's lock while entered.

    Yields:
        None, or why this file system gives no lock; then nothing protects the folder.

    Raises:
        ConfigError: another run holds it.
        OSError: the lock's file cannot be written.
    """
    with (folder / LOCK).open("a+b") as file:
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=file.close)  # a data-loader worker must not hold it on
        unlocked = None
        try:
            _lock(file)
        except (BlockingIOError, PermissionError):
            raise _in_use(folder, file) from None
        except OSError as error:
            unlocked = _(
                "{folder} cannot be locked ({reason}); see to it that one run at a time uses it",
                folder=folder,
                reason=error.strerror,
            )
        if not _is_still_there(folder / LOCK, file):  # --fresh has just set the folder aside
            raise _in_use(folder, file)
        with suppress(OSError):  # the number only makes the other run's message better
            file.truncate(0)
            file.write(str(os.getpid()).encode())
            file.flush()
        yield unlocked


def _is_still_there(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _in_use(folder: Path, file: IO[bytes]) -> ConfigError:
    file.seek(0)
    holder = file.read().decode("utf-8", "replace").strip()
    what = (
        _("Another run (process {holder}) is using {folder}.", holder=holder, folder=folder)
        if holder
        else _("Another run is using {folder}.", folder=folder)
    )
    return ConfigError(what, _("Wait for it or stop it, or choose another folder: --output DIR"))


if sys.platform == "win32":
    import msvcrt

    # Windows lets nobody read what is locked, so the lock lies far behind the process number.
    _FAR: Final = 1 << 30

    def _lock(file: IO[bytes]) -> None:
        file.seek(_FAR)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
