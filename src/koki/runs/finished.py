"""A finished run: what its folder says of itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from koki.config import ModelConfig, flatten, load_config
from koki.errors import RunError
from koki.files import file_name
from koki.language import _
from koki.runs.card import read_card
from koki.runs.names import CONFIG, METADATA
from koki.runs.pulled import run_folder

if TYPE_CHECKING:
    from koki.model.source import BaseSource


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A finished run, as its folder describes it.

    Attributes:
        card: see `koki.runs.card.run_card`.
        settings: by their dotted names; where base and recipes lie is in ``config.yaml`` alone, which a folder that was
            published does not have.
    """

    folder: Path
    card: dict[str, Any]
    settings: dict[str, Any]

    def model_config(self) -> ModelConfig:
        """The settings of the base that it was trained on: of one from the hub the very commit.

        Raises:
            RunError: the settings do not say it.
        """
        model = {name.removeprefix("model."): it for name, it in self.settings.items() if name.startswith("model.")}
        model["revision"] = self.card["base_model"]["revision"]  # what it was asked by may mean another commit now
        try:
            return ModelConfig.model_validate(model)
        except ValidationError as error:
            raise RunError(_("{file} cannot be used: {error}.", file=self.folder / METADATA, error=error)) from error


def read_run(folder: Path) -> FinishedRun:
    """Read the card and the settings of a finished run.

    Args:
        folder: or the name of a run on the hub, ``owner/name``, which is then had from there.

    Raises:
        RunError: the folder is not a finished run, or the run cannot be had.
        ConfigError: its ``config.yaml`` cannot be used.
    """
    folder = run_folder(folder)
    card = read_card(folder)
    settings, file = card["settings"], folder / CONFIG
    if file.is_file():
        here = flatten(load_config(file))
        settings = settings | {name: here[name] for name in ("model.name", "data.files")}
    return FinishedRun(folder, card, settings)


def base_of(run: FinishedRun) -> "BaseSource":
    """The base that a run was trained on; on another, the answers of its adapter make no sense.

    Raises:
        RunError: it is not where it was, or another is there.
        ModelError: it cannot be loaded.
    """
    # they bring torch along, which a chef with another engine need not have
    from koki.hub import is_commit
    from koki.model.source import find_base, is_folder

    config = run.model_config()
    trained_on = run.card["base_model"]["revision"]
    if not is_commit(trained_on) and not is_folder(config.name):
        raise RunError(
            _(
                "{folder} was trained on the base {name}, which is not in {place}; its fingerprint is {trained_on}.",
                folder=run.folder,
                name=file_name(config.name),
                place=config.name,
                trained_on=trained_on,
            ),
            _("Say where it lies now: name, in the section model of {file}.", file=run.folder / CONFIG),
        )
    source = find_base(config)
    if source.revision != trained_on:
        raise RunError(
            _(
                "{folder} was trained on another {name} than {location}: on revision {trained_on}, not {revision}.",
                folder=run.folder,
                name=source.name,
                location=source.location,
                trained_on=trained_on,
                revision=source.revision,
            ),
            _(
                "Train again, or say where the right one lies: model.name in {config}. If you know that it is the "
                "same (fingerprints were made in another way before), say so: base_model.revision in {metadata}.",
                config=run.folder / CONFIG,
                metadata=run.folder / METADATA,
            ),
        )
    return source
