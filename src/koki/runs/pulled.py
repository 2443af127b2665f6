"""A run on the Hugging Face hub -> a run folder of this machine, where a local folder is asked for and there is none.

What a chef needs is downloaded into the cache of the hub's library, pinned to a commit, and copied from there into the
user's cache: a GGUF file, a report or a scorecard may lie beside the copy, and nothing is written into the library's.

A run of the hub is somebody else's. So no other file of it is taken than those listed here, which are text, safetensors
and a book; and its card names nothing of this machine, whatever it says: neither a folder as its base, nor a file with
recipes outside the folder that the user is in.
"""

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from koki import files
from koki.errors import HubError, RunError
from koki.files import file_name
from koki.language import N_, _
from koki.model.names import SETTINGS, WEIGHTS
from koki.notices import LOG
from koki.runs.card import read_card
from koki.runs.names import BOOK, GENERATION_CONFIG, GGUF, METADATA
from koki.terminal import harmless
from koki.tokens.file_tokenizer import FILES_OF_A_TOKENIZER
from koki.user_cache import user_cache_folder, why_not_trusted

if TYPE_CHECKING:
    from koki.hub import HubCommit

_NEEDED: Final = (METADATA, SETTINGS, WEIGHTS, *FILES_OF_A_TOKENIZER[:2])
_TAKEN: Final = (*_NEEDED, *FILES_OF_A_TOKENIZER[2:], GENERATION_CONFIG, BOOK)
_COMMIT: Final = ".commit"  # the file in a copy that says what it is a copy of
_LONGEST_COMMIT: Final = 100  # bytes
_PART: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
_REPOSITORY: Final = re.compile(rf"{_PART}/{_PART}")
_ON_HUB: Final = re.compile(rf"({_PART}/{_PART})(?:@([A-Za-z0-9_][A-Za-z0-9_.-]*))?")
# Where runs lie unless somebody says otherwise: a run that is missed there is no stranger's.
_OUR_RUNS: Final = "runs"


class OnHub(NamedTuple):
    """The name of a run on the hub; without a revision its newest commit is meant."""

    repository: str
    revision: str | None


def is_repository(text: str) -> bool:
    """Whether a text may be the name of a repository on the hub: ``owner/name``."""
    return _REPOSITORY.fullmatch(text) is not None and not {"--", ".."} & {text[at : at + 2] for at in range(len(text))}


def on_hub(run: Path) -> OnHub | None:
    """The run on the hub that ``owner/name`` or ``owner/name@revision`` means; None where it means a folder.

    It means one that is there, and one that is missed in a folder that is there, or in ``runs``.
    """
    found = _ON_HUB.fullmatch(run.as_posix())
    if found is None or not is_repository(found[1]) or run.exists() or run.parent.exists():
        return None
    is_ours = run.parent.name == _OUR_RUNS or run.suffix == ".gguf"
    return None if is_ours else OnHub(found[1], found[2])


def run_folder(run: Path) -> Path:
    """The folder of a run: the path itself, unless it names a run on the hub, which is then had from there.

    Raises:
        RunError: there is neither a folder nor a run on the hub of this name, or that cannot be used.
    """
    named = on_hub(run)
    if named is None:
        return run
    from koki.hub import HubCommit, quiet_hub  # the hub's library takes a while to import

    quiet_hub()
    try:
        found = HubCommit.find(named.repository, named.revision, known_by=METADATA)
        folder = _place_of(run)
        if found.unreachable:
            said = N_("The hub cannot be asked ({reason}); what was had earlier answers.")
            LOG.warning("%s", harmless(_(said, reason=found.unreachable)))
        if _commit_of(folder) != found.commit:
            said = N_("Fetching {name} from the hub, commit {commit}.")
            LOG.warning("%s", _(said, name=run.as_posix(), commit=found.commit[:8]))
            _copy(found, found.download(_TAKEN), folder)
    except HubError as error:
        raise RunError(
            _(
                "There is no run folder {name} here, and from the hub it cannot be had: {what}",
                name=run.as_posix(),
                what=harmless(error.what),
            ),
            _("Check the name and the network; a private run needs `hf auth login`."),
        ) from error
    return folder


def not_written_to(run: Path) -> RunError:
    """The error for what is to be written into a run, which lies on the hub."""
    return RunError(
        _(
            "{name} lies on the hub: what is kept in a run is written into a folder of your own.",
            name=run.as_posix(),
        ),
        _("Have one: hf download {name} --local-dir {folder}", name=run.as_posix(), folder=run.name),
    )


def _place_of(run: Path) -> Path:
    """Where the copy of a run lies, by the name that it is asked for by.

    Raises:
        RunError: there is no folder to put it, or others may write there.
    """
    cache = user_cache_folder()
    if cache is None:
        raise RunError(
            _("There is no home, in whose cache a run from the hub could lie."), _("Name one: KOKI_CACHE=DIR")
        )
    runs = cache / _OUR_RUNS
    try:
        runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        flaw = why_not_trusted(runs)
    except OSError as error:
        flaw = str(error)
    if flaw:
        raise RunError(
            _("Runs from the hub cannot be kept: {flaw}.", flaw=flaw), _("Mend that, or name another: KOKI_CACHE=DIR")
        )
    return runs / run.parent.name / run.name


def _commit_of(folder: Path) -> str | None:
    try:
        return files.read_bytes(folder / _COMMIT, _LONGEST_COMMIT).decode()
    except (OSError, ValueError):
        return None


def _copy(found: "HubCommit", snapshot: Path, folder: Path) -> None:
    """Put a copy in the place of an earlier one. Its GGUF files stay: each says what it was made of.

    Raises:
        RunError: it is no run of Koki's, or has a base that is not to be had; or the disk has no room.
    """
    if missing := [name for name in _NEEDED if not (snapshot / name).is_file()]:
        raise RunError(_("{id} on the hub is no run of Koki's: it has no {file}.", id=found.id, file=missing[0]))
    card = _made_harmless(read_card(snapshot), found.id)
    try:
        with files.replacing(folder) as new:
            for name in _TAKEN:
                if (snapshot / name).is_file():
                    shutil.copyfile(snapshot / name, new / name)
            files.write_json(new / METADATA, card)
            files.write_text(new / _COMMIT, found.commit)
            if (folder / GGUF).is_dir():
                (folder / GGUF).rename(new / GGUF)
    except OSError as error:
        raise RunError(
            _("{id} cannot be kept in {folder}: {error}.", id=found.id, folder=folder, error=error),
            _("Make room, or: KOKI_CACHE=DIR"),
        ) from error


def _made_harmless(card: dict[str, Any], repository: str) -> dict[str, Any]:
    """A card of which no setting names a folder of this machine.

    Raises:
        RunError: its base is neither the one that ships nor on the hub.
    """
    from koki.hub import is_commit

    base, named = card["base_model"], card["settings"].get("data.files")
    location = str(base.get("location"))
    if location != "mini" and not (is_commit(base["revision"]) and is_repository(location)):
        raise RunError(
            _(
                "{repository} was trained on the base {location}, which is not on the hub.",
                repository=repository,
                location=harmless(file_name(location)),
            ),
            _("Ask its owner for the folder of that base, or for whole weights (koki export merged)."),
        )
    settings = card["settings"] | {
        "model.name": location,
        "data.files": [file_name(str(file)) for file in named] if isinstance(named, list) else [],
        "output": file_name(repository),
    }
    return card | {"settings": settings}
