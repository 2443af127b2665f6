"""A run on the Hugging Face hub: what is there under its name already, and what is published of it as one commit."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import (
    HfHubHTTPError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from koki.errors import ConfigError, HubError
from koki.export.published import PUBLISHABLE, Parcel
from koki.hub import why
from koki.language import N_, _
from koki.runs.names import METADATA, MODEL_CARD
from koki.runs.pulled import is_repository

_LOG_IN: Final = N_("Log in with a token that may write: hf auth login")
# What a repository may have before Koki writes to it first: what the hub's pages put into a new one.
_OF_THE_HUB: Final = frozenset({".gitattributes", MODEL_CARD})


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on the hub, as it was when it was looked at.

    Attributes:
        id: ``owner/name``.
        is_public: or will be, where there is none yet.
        commit: the newest one; None where there is no such repository.
        files: the names of those in it.
    """

    id: str
    is_public: bool
    commit: str | None = None
    files: frozenset[str] = frozenset()

    @property
    def url(self) -> str:
        """Its page."""
        return f"{HfApi().endpoint}/{self.id}"

    def outdated(self, parcel: Parcel) -> list[str]:
        """What was published of the run earlier, and is no more."""
        return [name for name in PUBLISHABLE if name in self.files and name not in parcel.files]


def look_up(name: str, *, public: bool) -> Repository:
    """The repository of this name, or what it will be: private, unless it shall be public.

    Raises:
        ConfigError: it is no name of one, or the repository is another thing, or is public and shall not be.
        HubError: nobody is logged in, or the hub cannot be asked.
    """
    if not is_repository(name):
        raise ConfigError(
            _("{name!r} is no name of a repository on the hub.", name=name), _("It looks like owner/name: siti/warung")
        )
    with _told(name):
        api = HfApi()
        api.whoami()
        try:
            found = api.model_info(name)
        except RepositoryNotFoundError:
            return Repository(name, public)
    there = Repository(name, not found.private, found.sha, frozenset(it.rfilename for it in found.siblings or ()))
    if METADATA not in there.files and there.files - _OF_THE_HUB:
        raise ConfigError(
            _("{name} is there on the hub, and is no run of Koki's.", name=name), _("Choose another name.")
        )
    if there.is_public and not public:
        how = _("Say --public if it shall be so, or change it there: {url}/settings", url=there.url)
        raise ConfigError(_("{name} is public on the hub.", name=name), how)
    if public and not there.is_public:
        how = _("Leave --public out, or change it there: {url}/settings", url=there.url)
        raise ConfigError(_("{name} is private on the hub.", name=name), how)
    return there


def push(parcel: Parcel, repository: Repository, message: str) -> None:
    """Publish what is in a parcel: a new repository, or a commit to one, which has all files or none.

    Raises:
        HubError: the hub refuses, or cannot be reached; or somebody has written to the repository meanwhile.
    """
    additions = [CommitOperationAdd(name, file) for name, file in parcel.files.items()]
    deletions = [CommitOperationDelete(name) for name in repository.outdated(parcel)]
    with _told(repository.id):
        api = HfApi()
        if repository.commit is None:
            api.create_repo(repository.id, private=not repository.is_public)
        api.create_commit(
            repository.id, [*additions, *deletions], commit_message=message, parent_commit=repository.commit
        )


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Say what an error of the hub, or on the way there, means for the user."""
    try:
        yield
    except LocalTokenNotFoundError as error:
        raise HubError(_("Nobody is logged in to the Hugging Face hub."), _(_LOG_IN)) from error
    except HfHubHTTPError as error:
        raise _refused(name, error) from error
    except OfflineModeIsEnabled as error:
        raise HubError(_("The hub is not asked: HF_HUB_OFFLINE is set."), _("Unset it.")) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise HubError(_("{name} cannot be written to the hub: {why}", name=name, why=why(error))) from error
    except Exception as error:  # the client of the library raises errors of its own for what happens on the way
        raise HubError(
            _("The hub cannot be reached: {why}", why=why(error)), _("Check the network, and try again.")
        ) from error


def _refused(name: str, error: HfHubHTTPError) -> HubError:
    status = error.response.status_code
    if status == HTTPStatus.UNAUTHORIZED:
        return HubError(
            _("The hub does not know the token that is used here."),
            _("Log in with a token that may write: hf auth login --force; one in HF_TOKEN comes before it."),
        )
    if status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        return HubError(
            _("The token that is used here may not write to {name}.", name=name),
            _("Write to a name of your own, or log in with a token that may write: hf auth login --force"),
        )
    if status == HTTPStatus.PRECONDITION_FAILED:
        return HubError(_("Somebody has written to {name} meanwhile.", name=name), _("Nothing was changed; try again."))
    return HubError(_("The hub refuses {name}: {why}", name=name, why=why(error)), _("Try again later."))
