"""A base on the Hugging Face hub: the commit that its name stands for, and that commit's files in the local cache.

The hub is asked once, for the commit. All files are then of that commit, and come from a folder of the cache. Where the
hub does not answer, what the cache has will do. A commit that the cache has whole is not asked for at all.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final

from huggingface_hub import HfApi, snapshot_download, try_to_load_from_cache

from koki import files
from koki.errors import ModelError

# Seconds after which a hub that does not answer is given up.
_PATIENCE: Final = 5.0
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_CONFIG: Final = "config.json"
# What is read of a base before its weights: configuration, tokenizer, chat template, and of its card the licence.
_SMALL_FILES: Final = ("*.json", "merges.txt", "*.jinja", "README.md")
_WEIGHTS: Final = ("model*.safetensors",)
_WHOLE: Final = (_CONFIG, "tokenizer.json", "tokenizer_config.json")
_SINGLE: Final = "model.safetensors"
_INDEX: Final = "model.safetensors.index.json"
_LONGEST_INDEX: Final = 10_000_000  # bytes


@dataclass(frozen=True, slots=True)
class HubBase:
    """One commit of a repository on the hub.

    Attributes:
        id: such as ``Qwen/Qwen2.5-0.5B-Instruct``.
        commit: 40 hexadecimal digits.
        unreachable: why the hub cannot be asked, so that only what the cache has is used; None where it answers.
    """

    id: str
    commit: str
    unreachable: str | None

    def folder(self, *, weights: bool = False) -> Path:
        """The folder of the local cache with the commit's files, which are downloaded where they are missing.

        Args:
            weights: those too, beside configuration and tokenizer.

        Raises:
            ModelError: a file is neither in the cache nor to be had.
        """
        if (whole := _whole_snapshot(self.id, self.commit)) is not None:
            return whole
        patterns = [*_SMALL_FILES, *(_WEIGHTS if weights else ())]
        try:
            return Path(
                snapshot_download(
                    self.id,
                    revision=self.commit,
                    allow_patterns=patterns,
                    local_files_only=self.unreachable is not None,
                )
            )
        except Exception as error:  # the network, the disk and the hub fail in many ways
            raise not_to_be_had(self.id, self.unreachable or str(error)) from error


def find_on_hub(repository: str, revision: str | None) -> HubBase:
    """Resolve a revision to its commit: that of the hub or, where it does not answer, that of the cache.

    Args:
        revision: a branch, tag or commit; None is the newest commit.

    Raises:
        ModelError: the hub does not say it, and the cache does not have it.
    """
    if revision is not None and is_commit(revision) and _whole_snapshot(repository, revision) is not None:
        return HubBase(repository, revision, None)
    try:
        commit, unreachable = _asked_commit(repository, revision), None
    except Exception as error:  # the network and the hub fail in many ways
        commit, unreachable = _cached_commit(repository, revision), str(error)
    if not is_commit(commit):
        raise not_to_be_had(repository, unreachable or f"the hub names no commit of it, but {commit!r}")
    return HubBase(repository, str(commit), unreachable)


def is_commit(revision: object) -> bool:
    """Whether a revision is a whole commit hash, which always means the same files."""
    return isinstance(revision, str) and _COMMIT.fullmatch(revision) is not None


def not_to_be_had(name: str, why: str) -> ModelError:
    """The error for a base that is neither here nor can be fetched."""
    return ModelError(
        f"Model {name} is not in the local cache and cannot be downloaded: {(why.strip().splitlines() or ['?'])[0]}",
        "Check the network and the name; or go on without: --model FOLDER (a downloaded model) or --model mini.",
    )


def _asked_commit(repository: str, revision: str | None) -> str | None:
    """What the hub says.

    The time is limited from outside: a look-up of names ends when it likes, and each of several addresses is tried in
    turn.

    Raises:
        Exception: there is no answer, or another one.
    """
    answers: SimpleQueue[str | Exception | None] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(HfApi().model_info(repository, revision=revision, timeout=_PATIENCE).sha)
        except Exception as error:
            answers.put(error)

    Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=_PATIENCE)
    except Empty:
        raise TimeoutError(f"the hub does not answer within {_PATIENCE:g} seconds") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _cached_commit(repository: str, revision: str | None) -> str | None:
    """The commit under which the cache has a revision's configuration: the folder that this lies in has its name."""
    file = try_to_load_from_cache(repository, _CONFIG, revision=revision)
    return Path(file).parent.name if isinstance(file, str) else None


def _whole_snapshot(repository: str, commit: str) -> Path | None:
    """The cache's folder of a commit, if configuration, tokenizer and all weights are in it: no file then changes."""
    config = try_to_load_from_cache(repository, _CONFIG, revision=commit)
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    weights = {_SINGLE}
    if (folder / _INDEX).is_file():
        try:
            weights = set(json.loads(files.read_bytes(folder / _INDEX, _LONGEST_INDEX))["weight_map"].values())
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
    return folder if all((folder / str(name)).is_file() for name in (*_WHOLE, *weights)) else None
