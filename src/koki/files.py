"""Files from outside, read without waiting for ever and without filling the memory; and how folders are named."""

import errno
import os
import stat
from pathlib import Path


def read_bytes(path: str | Path, most: int) -> bytes:
    """What a file holds.

    Args:
        most: bytes.

    Raises:
        OSError: it cannot be read, is longer than ``most``, or is no regular file: a pipe or a device could have one
            wait for ever, or give bytes for ever.
        ValueError: its name has a NUL character.
    """
    found = Path(path).stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    if found.st_size > most:
        raise OSError(errno.EFBIG, f"{found.st_size:,} bytes are more than {most:,}", str(path))
    return Path(path).read_bytes()


def published_name(folder: str | Path) -> str:
    """What a page or card that is published says of a folder: a path as it was given, but nothing of this machine."""
    return Path(folder).name if Path(folder).is_absolute() else str(folder)
