"""The Hugging Face hub: the commit that a name stands for, that commit's files in the local cache, and what went wrong.

The hub is asked once, for the commit. All files are then of that commit, and come from a folder of the cache. Where the
hub does not answer, what the cache has will do.
"""

import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, Self, TypeVar

from huggingface_hub import HfApi, constants, get_token, snapshot_download, try_to_load_from_cache
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.utils import logging
from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars

from koki import files
from koki.errors import HubError
from koki.language import N_, _
from koki.notices import are_printed

# Seconds after which a hub that does not answer is given up.
_PATIENCE: Final = 5.0
_MEANINGS: Final = {
    RevisionNotFoundError: N_("it has no such revision"),
    GatedRepoError: N_("who wants it must ask for it first, on its page"),
    RepositoryNotFoundError: N_("there is no such repository, or it is private"),
}
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class HubCommit:
    """One commit of a repository on the hub.

    Attributes:
        id: such as ``Qwen/Qwen2.5-0.5B-Instruct``.
        commit: 40 hexadecimal digits.
        asked: the branch, tag or commit that it was found by.
        unreachable: why the hub cannot be asked, so that only what the cache has is used; None where it answers.
    """

    id: str
    commit: str
    asked: str
    unreachable: str | None

    @classmethod
    def find(cls, repository: str, revision: str | None, *, known_by: str) -> Self:
        """Resolve a revision to its commit: that of the hub or, where it does not answer, that of the cache.

        Args:
            revision: a branch, tag or commit; None is the newest commit.
            known_by: a file that every such repository has, by which the cache is looked through.

        Raises:
            HubError: the hub does not say it, and the cache does not have it.
        """
        asked = revision or constants.DEFAULT_REVISION
        try:
            commit, unreachable = _asked_commit(repository, revision), None
        except Exception as error:  # the network and the hub fail in many ways
            commit, unreachable = _cached_commit(repository, asked, known_by), why(error)
        if not is_commit(commit):
            raise HubError(unreachable or _("the hub names no commit of it, but {commit!r}", commit=commit))
        return cls(repository, str(commit), asked, unreachable)

    def download(self, patterns: Sequence[str]) -> Path:
        """The folder of the local cache with the commit's files of these names; those that are missing are downloaded.

        Raises:
            HubError: a file is neither in the cache nor to be had.
        """
        offline = self.unreachable is not None
        try:
            folder = snapshot_download(
                self.id, revision=self.commit, allow_patterns=list(patterns), local_files_only=offline
            )
        except Exception as error:  # the network, the disk and the hub fail in many ways
            raise HubError(self.unreachable or why(error)) from error
        if not offline and self.asked != self.commit:
            self._remember()
        return Path(folder)

    def _remember(self) -> None:
        """Note in the cache what the branch or tag means, as the library does, for when the hub is away."""
        folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=self.id, repo_type="model") / "refs"
        with suppress(OSError):
            (folder / self.asked).parent.mkdir(parents=True, exist_ok=True)
            files.write_text(folder / self.asked, self.commit)


def quiet_hub() -> None:
    """Turn down what the hub's library logs below errors, and show its bars to whoever watches the command line alone.

    ``HF_HUB_DISABLE_PROGRESS_BARS`` decides otherwise.
    """
    logging.set_verbosity_error()  # its retries would bury the error that says how to go on
    if constants.HF_HUB_DISABLE_PROGRESS_BARS is not None:
        return
    if are_printed() and sys.stderr is not None and sys.stderr.isatty():
        enable_progress_bars()
    else:
        disable_progress_bars()


def is_commit(revision: object) -> bool:
    """Whether a revision is a whole commit hash, which always means the same files."""
    return isinstance(revision, str) and _COMMIT.fullmatch(revision) is not None


def why(error: Exception) -> str:
    """What the hub or its library says, in a line, without the token, should it say that."""
    for kind, meaning in _MEANINGS.items():
        if isinstance(error, kind):
            return _(meaning)
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    token = get_token()
    return first.replace(token, "...") if token else first


def _asked_commit(repository: str, revision: str | None) -> str | None:
    """What the hub says.

    Raises:
        Exception: there is no answer, or another one.
    """
    return _answered(lambda: HfApi().model_info(repository, revision=revision, timeout=_PATIENCE).sha)


def dataset_files(repository: str, revision: str | None) -> tuple[str, list[str]]:
    """The commit that a revision of a data set means, and the names of its files.

    Raises:
        HubError: the hub does not say it.
    """
    try:
        found = _answered(lambda: HfApi().dataset_info(repository, revision=revision, timeout=_PATIENCE))
    except Exception as error:  # the network and the hub fail in many ways
        raise HubError(why(error)) from error
    if not is_commit(found.sha):
        raise HubError(_("the hub names no commit of it, but {commit!r}", commit=found.sha))
    return str(found.sha), [file.rfilename for file in found.siblings or ()]


def _answered(ask: Callable[[], _T]) -> _T:
    """What is answered, in bounded time.

    The time is limited from outside: a look-up of names ends when it likes, and each of several addresses is tried in
    turn.

    Raises:
        Exception: there is no answer, or another one.
    """
    answers: SimpleQueue[tuple[_T] | Exception] = SimpleQueue()

    def put() -> None:
        try:
            answers.put((ask(),))
        except Exception as error:
            answers.put(error)

    Thread(target=put, daemon=True).start()
    try:
        answer = answers.get(timeout=_PATIENCE)
    except Empty:
        raise TimeoutError(_("the hub does not answer within {seconds:g} seconds", seconds=_PATIENCE)) from None
    if isinstance(answer, Exception):
        raise answer
    return answer[0]


def _cached_commit(repository: str, revision: str, file: str) -> str | None:
    """The commit under which the cache has a revision's file: the folder that this lies in has its name."""
    found = try_to_load_from_cache(repository, file, revision=revision)
    return Path(found).parent.name if isinstance(found, str) else None
