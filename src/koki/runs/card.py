"""The run card: what was trained on what, with which settings and versions, and how it went."""

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from pydantic import BaseModel, Field, field_validator

import koki
from koki import files
from koki.errors import RunError
from koki.language import _
from koki.runs.log import LossCourse, held_out_losses, lowest
from koki.runs.names import BOOK, METADATA

if TYPE_CHECKING:  # they bring torch along, which a chef need not have to read a card
    from transformers import TrainerState

    from koki.data.token_cache import TrainingData
    from koki.model.device import Device
    from koki.model.source import BaseSource
    from koki.tokens.batches import Seen

_LONGEST: Final = 100_000_000  # bytes: a hundred times those of a run of ten thousand steps that logs each
_LIBRARIES: Final = ("torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors", "numpy")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How training went.

    Attributes:
        steps: optimizer steps of the whole run, earlier sessions included.
        tokens: tokens seen, padding left out.
        log_history: transformers' log, an entry every ``training.logging_steps``.
        seconds: of this session.
        trainable, parameters: of the adapter, and of everything.
        result_step: the step whose adapter is the result.
        seen: how often each recipe was.
    """

    steps: int
    tokens: int
    log_history: Sequence[dict[str, Any]]
    seconds: float
    trainable: int
    parameters: int
    result_step: int
    seen: "Seen"

    @classmethod
    def of(
        cls, state: "TrainerState", seconds: float, parameters: tuple[int, int], result_step: int, seen: "Seen"
    ) -> Self:
        """Take it from the trainer's state; ``parameters`` are the numbers of trainable ones and of all."""
        return cls(
            steps=state.global_step,
            tokens=int(state.num_input_tokens_seen),
            log_history=state.log_history,
            seconds=seconds,
            trainable=parameters[0],
            parameters=parameters[1],
            result_step=result_step,
            seen=seen,
        )


def run_card(
    settings: Mapping[str, Any],
    base: "BaseSource",
    device: "Device",
    system_prompt: str,
    data: "TrainingData",
    outcome: Outcome,
    *,
    capabilities: Sequence[str],
) -> dict[str, Any]:
    """Everything there is to know about a finished run, JSON-ready; made to be published, so without local paths.

    Where its recipes and its base lie on this machine is in the ``config.yaml`` beside it.

    Args:
        settings: by their dotted names, as they were asked for.
        capabilities: the names of what the chef is said to be able to do.
    """
    course = LossCourse.of(outcome.log_history)
    return {
        "model_name": "Koki: Qwen Indonesian food recipe model",
        "koki_version": koki.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "base_model": {"name": _base_name(base), "location": base.public_name, "revision": base.revision},
        "capabilities": list(capabilities),
        "system_prompt": system_prompt,
        "recipes": data.recipes,
        "recipes_held_out": len(data.held_out),
        "examples": len(data.dataset),
        "examples_by_kind": data.dataset.count_by_kind(),
        "example_question": data.example_question,
        "data": _without_folders(data.report.as_dict()),
        "book": BOOK if settings["data.book"] else None,
        "fit": data.dataset.report.as_dict(),
        "settings": {
            **settings,
            "output": plain_name(settings["output"]),
            "model.name": _base_name(base),
            "data.files": [plain_name(file) for file in settings["data.files"]],
        },
        "training": {
            "steps": outcome.steps,
            "tokens": outcome.tokens,
            "loss": asdict(course) if course else None,
            "times_each_recipe_was_seen": {"mean": round(outcome.seen.mean, 1), "least": round(outcome.seen.least, 1)},
            "held_out": _held_out(outcome),
            "result_step": outcome.result_step,
            "seconds": round(outcome.seconds, 1),
            "trainable_parameters": outcome.trainable,
            "parameters": outcome.parameters,
            "log": list(outcome.log_history),
        },
        "environment": {
            "device": device.describe(),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "libraries": versions(_LIBRARIES),
        },
    }


def versions(libraries: Iterable[str]) -> dict[str, str]:
    """Those of libraries as the modules say it, not the packages: torch's tells the build, "2.13.0+cu130"."""
    return {name: import_module(name).__version__ for name in libraries}


def _base_name(base: "BaseSource") -> str:
    return base.public_name if base.is_folder else base.name


def _without_folders(data: dict[str, Any]) -> dict[str, Any]:
    return data | {"files": [_file_without_folders(file) for file in data["files"]]}


def _file_without_folders(file: dict[str, Any]) -> dict[str, Any]:
    dropped = [row | {"file": plain_name(row["file"]), "of": plain_name(row["of"])} for row in file["dropped"]]
    return file | {"path": plain_name(file["path"]), "dropped": dropped}


def _held_out(outcome: Outcome) -> dict[str, Any] | None:
    """The course of the held-out loss; None where it was not measured."""
    losses = held_out_losses(outcome.log_history)
    if not losses:
        return None
    best, all_of_them = lowest(losses), list(losses.values())
    return {"first_loss": all_of_them[0], "final_loss": all_of_them[-1], "best_loss": losses[best], "best_step": best}


def plain_name(path: str) -> str:
    """The name of a file, or its place on the hub, as plain text for a table or a code span in Markdown."""
    return " ".join((files.hub_path(path) or files.file_name(path)).replace("`", "'").replace("|", "/").split())


def read_card(folder: Path) -> dict[str, Any]:
    """The run card of a finished run.

    Raises:
        RunError: the folder is not a finished run.
    """
    if not folder.is_dir():
        raise RunError(_("There is no run folder {folder}.", folder=folder), _("`koki train --output DIR` makes one."))
    try:
        card: dict[str, Any] = json.loads(files.read_bytes(folder / METADATA, _LONGEST))
        _Card.model_validate(card)
    except FileNotFoundError:
        raise RunError(
            _("{folder} is not a finished run: it has no {metadata}.", folder=folder, metadata=METADATA),
            _("If training was interrupted, the same `koki train` command goes on and finishes it."),
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(_("{file} cannot be read: {error}.", file=folder / METADATA, error=error)) from error
    return card


class _Base(BaseModel):
    revision: str

    @field_validator("revision")
    @classmethod
    def _is_recorded(cls, revision: str) -> str:
        if revision == "None":
            raise ValueError(_("the commit of the base was not recorded; if you know it, write it there"))
        return revision


class _File(BaseModel):
    sha256: str


class _Data(BaseModel):
    files: list[_File]


class _Settings(BaseModel):
    model_name: str = Field(alias="model.name")


class _Training(BaseModel):
    steps: int
    log: list[dict[str, Any]]


class _Card(BaseModel):
    """The parts of a run card that Koki reads again."""

    koki_version: str
    system_prompt: str
    base_model: _Base
    settings: _Settings
    data: _Data
    training: _Training
