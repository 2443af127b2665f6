"""Recipe files of a data set on the Hugging Face hub: ``hf://datasets/OWNER/NAME``, with ``@REVISION`` and ``/FILE``.

A revision is resolved once, to its commit. The files of a commit never change, and are read from the hub as a stream.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cache
from glob import has_magic
from typing import Any, BinaryIO, Final, NamedTuple, cast
from urllib.parse import unquote

from koki.errors import DataError, HubError, KokiError, RecipeFileNotFound
from koki.language import N_, _

_PATH: Final = re.compile(
    r"hf://datasets/(?P<repository>[^/@]+/[^/@]+)(?:@(?P<revision>refs/(?:convert|pr)/[^/]+|[^/]+))?(?:/(?P<file>.*))?"
)
# What is read of a data set of which no file is named.
_DATA: Final = re.compile(r".*\.(?:csv|tsv|jsonl|ndjson|json|parquet)(?:\.gz)?", re.IGNORECASE)
# Bytes that are asked for at once.
_BLOCK: Final = 2**22
_CHECK: Final = N_("Check the name and the network; a private data set needs `hf auth login`.")


class _Place(NamedTuple):
    """What a path says."""

    repository: str
    revision: str | None
    file: str  # also a folder or a pattern; empty for all files of data

    @classmethod
    def of(cls, path: str) -> "_Place":
        said = _PATH.fullmatch(path)
        if said is None:
            raise DataError(
                _("{path} names no data set on the Hugging Face hub.", path=path),
                _("Write hf://datasets/OWNER/NAME, perhaps with @REVISION and /FILE behind it."),
            )
        revision = said["revision"]
        return cls(said["repository"], revision and unquote(revision), (said["file"] or "").strip("/"))


def find_on_hub(path: str) -> list[str]:
    """The files that a path on the hub means, in the order of their names, each with the commit that it is of.

    That is a file, the files of data in a folder or in all of the data set, or what a pattern matches.

    Raises:
        DataError: the path is none, or the hub does not say what it means.
        RecipeFileNotFound: the data set has no such file.
    """
    from koki.hub import dataset_files, is_commit

    place = _Place.of(path)
    if is_commit(place.revision) and place.file and not has_magic(place.file) and _DATA.fullmatch(place.file):
        return [path]
    try:
        commit, names = dataset_files(place.repository, place.revision)
    except HubError as error:
        raise _not_to_be_had(path, error.what) from error
    found = sorted(_named(names, place.file))
    if not found:
        data = ", ".join(filter(_DATA.fullmatch, names)) or _("nothing")
        raise RecipeFileNotFound(
            _("No recipe file matches {path}", path=path), _("Files of data in it: {names}.", names=data[:500])
        )
    return [f"hf://datasets/{place.repository}@{commit}/{name}" for name in found]


def _named(names: Sequence[str], wanted: str) -> list[str]:
    if wanted in names:
        return [wanted]
    if has_magic(wanted):
        return [name for name in names if _matches(name.split("/"), wanted.split("/"))]
    return [name for name in names if name.startswith(f"{wanted}/" if wanted else "") and _DATA.fullmatch(name)]


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """As glob does it: ``**`` stands for any number of folders."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[place:], pattern[1:]) for place in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


@contextmanager
def opened_on_hub(path: str) -> Iterator[BinaryIO]:
    """A file of `find_on_hub`, open for reading, also to and fro; its ``size`` is that of the file in bytes.

    Raises:
        RecipeFileNotFound: it is not there.
        DataError: it cannot be read.
    """
    from huggingface_hub import constants

    from koki.hub import why

    try:
        with _file_system(constants.ENDPOINT).open(path.removeprefix("hf://"), block_size=_BLOCK) as file:
            yield cast(BinaryIO, file)
    except KokiError:
        raise
    except FileNotFoundError:
        raise RecipeFileNotFound(_("There is no recipe file {path}", path=path), _(_CHECK)) from None
    except Exception as error:  # the network and the hub fail in many ways
        raise _not_to_be_had(path, why(error)) from error


def _not_to_be_had(path: str, what: str) -> DataError:
    return DataError(_("{path} cannot be read from the Hugging Face hub: {what}", path=path, what=what), _(_CHECK))


@cache
def _file_system(endpoint: str) -> Any:
    """What knows of files that it has asked for once, so that to open one again costs no request."""
    from huggingface_hub import HfFileSystem

    return HfFileSystem(endpoint=endpoint, skip_instance_cache=True)
