"""A base on the Hugging Face hub: its files in the local cache. A commit that the cache has whole is not asked for."""

import json
from pathlib import Path
from typing import Final

from huggingface_hub import try_to_load_from_cache

from koki import files
from koki.errors import HubError, ModelError
from koki.hub import HubCommit, is_commit
from koki.language import _

_CONFIG: Final = "config.json"
# What is read of a base before its weights: configuration, tokenizer, chat template, and of its card the licence.
_SMALL_FILES: Final = ("*.json", "merges.txt", "*.jinja", "README.md")
_WEIGHTS: Final = ("model*.safetensors",)
_WHOLE: Final = (_CONFIG, "tokenizer.json", "tokenizer_config.json")
_SINGLE: Final = "model.safetensors"
_INDEX: Final = "model.safetensors.index.json"
_LONGEST_INDEX: Final = 10_000_000  # bytes


class HubBase(HubCommit):
    """One commit of a base on the hub."""

    __slots__ = ()

    def folder(self, *, weights: bool = False) -> Path:
        """The folder of the local cache with the commit's files, which are downloaded where they are missing.

        Args:
            weights: those too, beside configuration and tokenizer.

        Raises:
            ModelError: a file is neither in the cache nor to be had.
        """
        if (whole := _whole_snapshot(self.id, self.commit)) is not None:
            return whole
        try:
            return self.download([*_SMALL_FILES, *(_WEIGHTS if weights else ())])
        except HubError as error:
            raise _not_to_be_had(self.id, error) from error


def find_on_hub(repository: str, revision: str | None) -> HubBase:
    """Resolve a revision to its commit: that of the hub or, where it does not answer, that of the cache.

    Args:
        revision: a branch, tag or commit; None is the newest commit.

    Raises:
        ModelError: the hub does not say it, and the cache does not have it.
    """
    if revision is not None and is_commit(revision) and _whole_snapshot(repository, revision) is not None:
        return HubBase(repository, revision, revision, None)
    try:
        return HubBase.find(repository, revision, known_by=_CONFIG)
    except HubError as error:
        raise _not_to_be_had(repository, error) from error


def _not_to_be_had(name: str, error: HubError) -> ModelError:
    """The error for a base that is neither here nor can be fetched."""
    return ModelError(
        _("Model {name} is not in the local cache and cannot be downloaded: {what}", name=name, what=error.what),
        _("Check the network and the name; or go on without: --model FOLDER (a downloaded model) or --model mini."),
    )


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
