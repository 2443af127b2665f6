"""Files: read in bounded time and memory, and written so that either the old content or the whole new one is there.

A file is written beside its place, flushed to disk and renamed. A folder is sealed: a JSON file in it holds the size
and the SHA-256 of every other file, and the SHA-256 of all that, so that a folder that was not written to the end is
recognised.
"""

import errno
import hashlib
import json
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import IO, Any, BinaryIO, Final

from koki.errors import ConfigError, KokiError
from koki.language import _

BESIDE: Final = ".new-"
"""How the name of a folder begins that is not whole yet."""

_LONGEST_SEAL: Final = 10_000_000  # bytes; that of a checkpoint has about 3,000
_LONGEST_LINE: Final = 1_000_000  # bytes; the conversations that are exported have about 3,000


def open_regular(path: str | Path, most: int) -> BinaryIO:
    """A file, open for reading.

    Args:
        most: the largest size that it may have, in bytes.

    Raises:
        OSError: the file cannot be read, has more than ``most`` bytes, or is no regular file: reading a pipe or a
            device might never end.
        ValueError: the path has a NUL character.
    """
    found = Path(path).stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, _("not a regular file"), str(path))
    if found.st_size > most:
        too_large = _("{size:,} bytes are more than {most:,}", size=found.st_size, most=most)
        raise OSError(errno.EFBIG, too_large, str(path))
    return Path(path).open("rb")


def read_bytes(path: str | Path, most: int) -> bytes:
    """The content of a file that `open_regular` opens.

    Raises:
        OSError, ValueError: as `open_regular`.
    """
    with open_regular(path, most) as file:
        return file.read()


def hub_path(path: str) -> str | None:
    """The path as it is written, if it names something on the Hugging Face hub; None for a path of this machine.

    A ``Path`` of it may have come between, which writes one slash for two, or the other slash.
    """
    found = path.replace("\\", "/")
    return f"hf://{found[3:].lstrip('/')}" if found.startswith("hf:/") else None


def file_name(path: str) -> str:
    """The last part of a path of any system: its folders are nobody's business in what is passed on."""
    return PurePath(path.replace("\\", "/")).name


def published_name(folder: str | Path) -> str:
    """How a published page or card names a folder: a relative path as it is, of an absolute one the last part alone."""
    return Path(folder).name if Path(folder).is_absolute() else str(folder)


# ------------------------------------------------------------------------------------------------------------- writing


@contextmanager
def failing_as(kind: type[KokiError], path: Path) -> Iterator[None]:
    """Where the system cannot write to a path, say so with an error of Koki's."""
    try:
        yield
    except KokiError:  # one of them is an OSError too
        raise
    except OSError as error:
        raise kind(
            _("{path} cannot be written: {error}.", path=path, error=error),
            _("Is the disk full, and may you write there?"),
        ) from error


def require_ours(path: Path, mark: str) -> None:
    """Check that to write a file that a user names costs nobody another: there is none, or one of the same kind.

    ``koki check --output resep.csv ikan.csv`` must not cost a cook her recipes, nor ``--output /dev/null`` a machine
    its devices. So Koki replaces what it wrote itself and nothing else.

    Args:
        mark: what the first line of every file of this kind has in it.

    Raises:
        ConfigError: something else is there.
        OSError: what is there cannot be read.
    """
    if not path.exists() or path.is_dir():  # to write a folder fails by itself
        return
    if path.is_file():
        with path.open("rb") as file:
            first = file.readline(_LONGEST_LINE)
        if not first or mark.encode() in first:
            return
    raise ConfigError(
        _("{path} is there, and is not what this command writes.", path=path), _("Give --output another name.")
    )


@contextmanager
def written_beside(path: Path) -> Iterator[IO[str]]:
    """Open a text file in UTF-8 that replaces ``path`` once it is written to the end; until then the old one stays.

    Raises:
        OSError: the file cannot be written.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("w", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    flush_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write a text with `written_beside`."""
    with written_beside(path) as file:
        file.write(text)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON with `written_beside`."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n")


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of ``folder`` once it is whole; until then the old one stays.

    Raises:
        OSError: it cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=BESIDE, dir=folder.parent) as beside:
        new = Path(beside) / "new"
        new.mkdir()
        yield new
        flush_tree(new)
        if folder.exists():
            folder.rename(Path(beside) / "old")
        new.rename(folder)
    flush_folder(folder.parent)


def discard(folder: Path) -> None:
    """Remove a folder, as far as that is possible; others may make it anew meanwhile."""
    gone = folder.with_name(f"{folder.name}.gone-{os.getpid()}-{time.monotonic_ns()}")
    with suppress(OSError):
        folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def flush_tree(folder: Path) -> None:
    """Flush every file in a folder to disk, then the folders that name them."""
    folders = [folder]
    for entry in folder.rglob("*"):
        if entry.is_dir():
            folders.append(entry)
        else:
            flush_file(entry)
    for inner in reversed(folders):
        flush_folder(inner)


def flush_file(path: Path) -> None:
    """Flush what a file holds to disk."""
    with path.open("rb+") as file:  # Windows flushes only what is open for writing
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Flush the names in a folder to disk, where the system can: only then is a rename sure to survive a crash."""
    if sys.platform == "win32":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # one may be allowed to write to a folder that one may not read
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # raised by network drives that cannot do it
            raise
    finally:
        os.close(descriptor)


def free_name(path: Path, word: str) -> Path:
    """The first of ``path.word-1``, ``path.word-2``, ... that does not exist."""
    number = 1
    while (candidate := path.with_name(f"{path.name}.{word}-{number}")).exists():
        number += 1
    return candidate


# ------------------------------------------------------------------------------------------------------------- sealing


def write_seal(folder: Path, name: str, facts: Mapping[str, Any]) -> None:
    """Seal what a folder holds now.

    Args:
        name: the name of the seal's file in the folder.
        facts: JSON-ready values that are kept in the seal beside the files.
    """
    content = {**facts, "files": _contents(folder, name)}
    write_json(folder / name, {**content, "sha256": _sha256_of_json(content)})


def read_seal(folder: Path, name: str) -> dict[str, Any]:
    """The content of a seal as `write_seal` wrote it, not yet checked.

    Raises:
        OSError, ValueError: the seal cannot be read.
    """
    seal: dict[str, Any] = json.loads(read_bytes(folder / name, _LONGEST_SEAL))
    return seal


def flaw_of(folder: Path, name: str) -> str | None:
    """What is wrong with a sealed folder; None when all that was sealed is there as it was."""
    try:
        seal = read_seal(folder, name)
        if _sha256_of_json({key: value for key, value in seal.items() if key != "sha256"}) != seal["sha256"]:
            return _("its seal has changed since it was saved")
        for file, expected in seal["files"].items():
            found = (folder / file).stat()
            if not stat.S_ISREG(found.st_mode):  # reading a pipe would wait for ever
                return _("{file} is no longer a file", file=file)
            if found.st_size != expected["bytes"]:
                return _("{file} has another size than when it was saved", file=file)
            if _sha256(folder / file) != expected["sha256"]:
                return _("{file} has changed since it was saved", file=file)
    except FileNotFoundError as error:
        return _("{file} is missing; it was not written to the end", file=Path(str(error.filename)).name)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return _("its seal cannot be read ({error})", error=error)
    return None


def _contents(folder: Path, seal: str) -> dict[str, dict[str, Any]]:
    return {
        file.relative_to(folder).as_posix(): {"bytes": file.stat().st_size, "sha256": _sha256(file)}
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != seal
    }


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _sha256_of_json(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
