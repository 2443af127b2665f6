"""Recipe files as sources of bytes: where they are, what all of their content decides, and their content as a stream.

A file is read twice. The first time, a survey, gives its digest and its encoding; the second time, its rows. Neither
holds more of it than some blocks.
"""

import errno
import hashlib
import io
import os
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from glob import glob, has_magic
from itertools import chain, repeat, takewhile
from pathlib import Path
from threading import Event
from typing import BinaryIO, Final, NamedTuple, TypeVar

from koki import files
from koki.errors import DataError, KokiError, RecipeFileNotFound
from koki.language import N_, _
from koki.progress import stage
from koki.recipes.decoding import EncodingSurvey, decoded, lines_of
from koki.recipes.hub_files import find_on_hub, opened_on_hub

MOST_BYTES: Final = 2**27
"""Bytes of a file, unpacked, that has to be in memory as a whole: a document, a workbook, a text, which take up to
eight times as much. More than this without a line end are no rows either."""

# Bytes of any file: a hundred million recipes. A sparse file can have more and take no room on a disk.
_MOST_STREAMED: Final = 10**11
# How many times its size a file may unpack to, beyond MOST_BYTES. Real recipes come to four times theirs, and ones that
# a program wrote to twelve; a file made to fill the memory or to be read for ever comes to a thousand.
_MOST_TIMES: Final = 200
# Bytes that are read, and given on, at once.
_BLOCK: Final = 2**20
# Blocks that are unpacked before they are asked for, and files that are surveyed at the same time.
_BLOCKS_AHEAD: Final = 4
_FILES_AHEAD: Final = 3
# Bytes by which the kind of a file is told.
_HEAD: Final = 2**17
_GZIP: Final = b"\x1f\x8b"
_NO_TEXT: Final = (b"PK\x03\x04", b"PAR1")
# Bytes that are unpacked at once: many files of gzip behind each other are copied once for each of them.
_PACKED: Final = 2**16

_AS_ROWS: Final = N_("Save it as CSV, or as JSON Lines (.jsonl), a recipe on each line.")

_T = TypeVar("_T")


# --------------------------------------------------------------------------------------------------------------- paths


def find_files(paths: Iterable[str | Path]) -> list[str]:
    """The files in order; for a pattern with ``*``, ``?`` or ``[...]``, those that match it, sorted by name.
    ``hf://datasets/OWNER/NAME`` is the files of a data set on the Hugging Face hub.

    Raises:
        RecipeFileNotFound: no file matches a pattern.
        DataError: the hub does not say what a path means.
    """
    return [file for path in paths for file in _matches(os.fspath(path))]


def _matches(path: str) -> list[str]:
    if on_hub := files.hub_path(path):
        return find_on_hub(on_hub)
    # A file whose own name looks like a pattern, as "resep[1].csv" does, is that file.
    if not has_magic(path) or os.path.lexists(path) or "\0" in path:
        return [path]
    found = sorted(file for file in glob(path, recursive=True) if not Path(file).is_dir())  # noqa: PTH207 (Path's own takes no absolute pattern)
    if not found:
        raise RecipeFileNotFound(
            _("No recipe file matches {path}", path=path), _("Check the pattern, and the folder it starts from.")
        )
    return found


class FileDigest(NamedTuple):
    """A recipe file by its content: two reads that give the same digest read the same bytes."""

    path: str
    sha256: str  # 64 hex digits


def read_digests(paths: Iterable[str | Path]) -> list[FileDigest]:
    """The digest of each file that `find_files` finds, in order.

    Raises:
        RecipeFileNotFound, DataError: as `find_files`, or a file cannot be read.
    """
    return [FileDigest(path, _sha256(path)) for path in find_files(paths)]


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with opened(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """A recipe file, open for reading; what goes wrong until it is left is told as an error of Koki's.

    Raises:
        RecipeFileNotFound: the file is missing.
        DataError: it is no regular file, larger than any honest one or cannot be read.
    """
    try:
        with opened_on_hub(path) if files.hub_path(path) else files.open_regular(path, _MOST_STREAMED) as file:
            yield file
    except KokiError:  # one of them is a FileNotFoundError too
        raise
    except IsADirectoryError:
        raise DataError(_("{path} is a folder, not a recipe file.", path=path), _("Name the files in it.")) from None
    except (FileNotFoundError, NotADirectoryError):
        raise RecipeFileNotFound(
            _("There is no recipe file {path}", path=path), _("Check the path given as data.")
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        raise DataError(_("{path!r} cannot be read: {error}", path=path, error=error), _how_to_read(error)) from error


def _how_to_read(error: Exception) -> str:
    match getattr(error, "errno", None):
        case errno.EFBIG:
            return _("Split it into smaller files.")
        case errno.EINVAL:
            return _("Save the recipes in a CSV file and name that.")
        case _:
            return _("Check the path and its permissions.")


# --------------------------------------------------------------------------------------------------------------- files


class Source:
    """A recipe file that was surveyed: read once from end to end.

    Attributes:
        sha256: of the file, 64 hex digits.
        bytes: of the file.
        is_packed: whether it is compressed with gzip; ``head`` and all that is read is unpacked.
        head: the first bytes.
        is_blank: whether it has nothing but blanks and NUL.
        encoding: of the text, if it is one.
        consumed: bytes of the file that were read for what was asked for last.

    Raises:
        RecipeFileNotFound, DataError: as `opened`, or the content is damaged or made to be read for ever.
    """

    def __init__(self, path: str, is_left: Callable[[], bool] = lambda: False) -> None:
        """Survey a file.

        Args:
            is_left: asked again and again; once it is true, nobody waits for the survey, and it ends.
        """
        self.path = path
        self.bytes = self.consumed = 0
        self.head = b""
        self.is_packed, self.is_blank = False, True
        self._size = self._unbroken = 0  # unpacked; those behind the last line end
        self._state: tuple[int, ...] | None = None
        digest, survey = hashlib.sha256(), EncodingSurvey()
        with stage(_("Looking through {path} (MiB)", path=path)) as advance:
            for block in self._unpacked(digest.update):
                self._look_at(block)
                if not self.head.startswith(_NO_TEXT):
                    self._require_lines(block)
                    survey.add(block)
                advance(1, self._size * self.bytes // max(1, self.consumed) // _BLOCK)
                if is_left():
                    break
        self.sha256 = digest.hexdigest()
        self.encoding = survey.encoding()

    def _look_at(self, block: bytes) -> None:
        self.head += block[: _HEAD - len(self.head)]
        self.is_blank = self.is_blank and not block.strip(b"\0\r\n\t \xef\xbb\xbf\xff\xfe")
        self._size += len(block)
        if self.is_packed:
            self.require_plausible(self._size)

    def require_plausible(self, size: int) -> None:
        """Check that what the file unpacks to, as far as it was read, is no more than recipes do.

        Raises:
            DataError: it is.
        """
        if size > max(MOST_BYTES, _MOST_TIMES * self.bytes):
            raise DataError(
                _(
                    "{path} holds more than {most_bytes:,} MiB once it is unpacked, {times:,} times its size.",
                    path=self.path,
                    most_bytes=MOST_BYTES // 2**20,
                    times=size // self.bytes,
                ),
                _("No recipes do; take out what repeats. A file of gzip that you trust can be unpacked (gunzip)."),
            )

    def _require_lines(self, block: bytes) -> None:
        end = max(block.rfind(b"\n"), block.rfind(b"\r"))
        self._unbroken = self._unbroken + len(block) if end < 0 else len(block) - 1 - end
        if self._unbroken > MOST_BYTES:
            raise DataError(
                _(
                    "{path} holds more than {most_bytes:,} MiB without a line end.",
                    path=self.path,
                    most_bytes=MOST_BYTES // 2**20,
                ),
                _(_AS_ROWS),
            )

    @property
    def is_small(self) -> bool:
        """Whether all of it may be in memory."""
        return self._size <= MOST_BYTES

    def start(self, characters: int) -> str:
        """The first characters of the text, no more than some ten thousands."""
        return next(decoded([self.head], self.encoding), "")[:characters]

    def whole(self) -> bytes:
        """All bytes, unpacked.

        Raises:
            DataError: there are more than ``MOST_BYTES``, or the file has changed.
        """
        if not self.is_small:
            raise DataError(
                _(
                    "{path} holds more than {most_bytes:,} MiB, which only a table of rows may.",
                    path=self.path,
                    most_bytes=MOST_BYTES // 2**20,
                ),
                _(_AS_ROWS),
            )
        return b"".join(self.blocks())

    def whole_text(self) -> str:
        """All of the text.

        Raises:
            DataError: as `whole`.
        """
        return "".join(decoded([self.whole()], self.encoding))

    @contextmanager
    def seekable(self) -> Iterator[BinaryIO]:
        """The file for a reader that goes to and fro in it; a packed one is unpacked first, and has to be small.

        Raises:
            DataError: as `whole` and `opened`.
        """
        if self.is_packed:
            yield io.BytesIO(self.whole())
            return
        with opened(self.path) as file:
            yield file
            self._require_same(_state(file) == self._state)

    def blocks(self) -> Iterator[bytes]:
        """All bytes, unpacked, as a stream; a thread that runs ahead unpacks them or has them from the hub.

        Raises:
            DataError: the file has changed since it was surveyed.
        """
        blocks = self._unpacked(lambda _: None)
        return _ahead(blocks) if self.is_packed or files.hub_path(self.path) else blocks

    def texts(self) -> Iterator[str]:
        """The text as a stream of pieces; see `blocks`."""
        return decoded(self.blocks(), self.encoding)

    def lines(self) -> Generator[str, None, None]:
        """The lines of the text as a stream; see `lines_of`."""
        return lines_of(self.texts(), self.path)

    def _unpacked(self, see: Callable[[bytes], None]) -> Iterator[bytes]:
        blocks = self._read(see)
        first = next(blocks, b"")
        self.is_packed = first.startswith(_GZIP)
        all_of_them = filter(None, chain([first], blocks))
        yield from _gunzip(all_of_them, self.path) if self.is_packed else all_of_them

    def _read(self, see: Callable[[bytes], None]) -> Iterator[bytes]:
        with opened(self.path) as file:
            self._state = self._state or _state(file)
            self.bytes, self.consumed = self._state[0], 0
            while block := file.read(_BLOCK):
                self.consumed += len(block)
                see(block)
                yield block
            self._require_same(self.consumed == self.bytes and _state(file) == self._state)

    def _require_same(self, is_same: bool) -> None:
        if not is_same:
            raise DataError(
                _("{path} has changed while it was read.", path=self.path),
                _("Start again once nothing writes to it any more."),
            )


def _state(file: BinaryIO) -> tuple[int, ...]:
    """Size, time of the last change and number of a file: what differs once it has changed. On the hub none does."""
    if isinstance(size := getattr(file, "size", None), int):
        return (size,)
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns, found.st_ino


def _gunzip(blocks: Iterable[bytes], path: str) -> Iterator[bytes]:
    """The content of a gzip file, which may be several ones behind each other."""
    pieces = (block[place : place + _PACKED] for block in blocks for place in range(0, len(block), _PACKED))
    unpacker = zlib.decompressobj(wbits=31)
    try:
        for piece in pieces:
            packed = piece
            while packed:
                if unpacker.eof:
                    if not (packed := packed.lstrip(b"\0")):  # zeros may fill up the last block of a tape
                        break
                    unpacker = zlib.decompressobj(wbits=31)
                if content := unpacker.decompress(packed, _BLOCK):
                    yield content
                packed = unpacker.unconsumed_tail or unpacker.unused_data
        while content := unpacker.decompress(b"", _BLOCK):
            yield content
        if not unpacker.eof:
            raise EOFError(_("it is not there to the end"))
    except (EOFError, zlib.error) as error:
        raise DataError(
            _("{path} is a damaged gzip file: {error}", path=path, error=error), _("Pack it again, or unpack it first.")
        ) from error


# --------------------------------------------------------------------------------------------------------- read ahead


def surveyed(paths: Iterable[str]) -> Generator[Source, None, None]:
    """The files in order, each surveyed; the next ones are surveyed meanwhile, in threads.

    Raises:
        RecipeFileNotFound, DataError: as `Source`, in the turn of the file.
    """
    left = Event()
    with closing(_results((partial(Source, path, left.is_set) for path in paths), _FILES_AHEAD)) as sources:
        try:
            for source in sources:  # noqa: UP028 ("yield from" would close them first, which waits)
                yield source
        finally:
            left.set()


def _ahead(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks, some of them made before they are asked for, by a thread that ends with this iterator."""
    return takewhile(bool, _results(repeat(partial(next, blocks, b"")), _BLOCKS_AHEAD, threads=1))


def _results(calls: Iterable[Callable[[], _T]], most: int, threads: int | None = None) -> Generator[_T, None, None]:
    """What the calls return, in order; up to ``most`` of them are made before they are asked for, in threads."""
    with ThreadPoolExecutor(threads or most) as pool:
        pending: deque[Future[_T]] = deque()
        for call in calls:
            pending.append(pool.submit(call))
            if len(pending) > most:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
