"""The run card: what was trained on what, with which settings and versions, and how it went."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path, PurePath
from typing import Any

from huggingface_hub import ModelCardData

import koki
from koki.config import RunConfig, flatten
from koki.model.device import Device
from koki.model.source import BaseSource
from koki.recipes.report import DataReport
from koki.tokens.dataset import ConversationDataset
from koki.training.evaluation import held_out_losses, lowest

METADATA_FILE = "training_metadata.json"
CAPABILITIES = ("full recipe", "simple question", "recommendation", "inquiry", "tip")
_LIBRARIES = ("torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors", "numpy")


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
    """

    steps: int
    tokens: int
    log_history: Sequence[dict[str, Any]]
    seconds: float
    trainable: int
    parameters: int
    result_step: int

    @property
    def losses(self) -> list[float]:
        """Logged losses, in order."""
        return [entry["loss"] for entry in self.log_history if "loss" in entry]


def run_card(
    config: RunConfig,
    source: BaseSource,
    device: Device,
    system_prompt: str,
    data: DataReport,
    held_out: int,
    dataset: ConversationDataset,
    outcome: Outcome,
) -> dict[str, Any]:
    """Everything there is to know about a finished run, JSON-ready; made to be published, so without local paths.

    Where its recipes and its base lie on this machine is in the ``config.yaml`` beside it.
    """
    return {
        "model_name": "Koki: Qwen Indonesian food recipe model",
        "koki_version": koki.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "base_model": {"name": _base_name(source), "location": source.public_name, "revision": source.revision},
        "capabilities": list(CAPABILITIES),
        "system_prompt": system_prompt,
        "recipes": data.rows_kept - held_out,
        "recipes_held_out": held_out,
        "examples": len(dataset),
        "examples_by_kind": dataset.count_by_kind(),
        "data": _without_folders(data.as_dict()),
        "fit": dataset.report.as_dict(),
        "settings": flatten(config)
        | {
            "output": _file_name(config.output),
            "model.name": _base_name(source),
            "data.files": [_file_name(file) for file in config.data.files],
        },
        "training": {
            "steps": outcome.steps,
            "tokens": outcome.tokens,
            "first_loss": outcome.losses[0] if outcome.losses else None,
            "final_loss": outcome.losses[-1] if outcome.losses else None,
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
            # as the module says it, not the package: torch's tells the build, "2.13.0+cu130"
            "libraries": {name: import_module(name).__version__ for name in _LIBRARIES},
        },
    }


def _base_name(source: BaseSource) -> str:
    return source.public_name if source.is_folder else source.name


def _without_folders(data: dict[str, Any]) -> dict[str, Any]:
    return data | {"files": [_file_without_folders(file) for file in data["files"]]}


def _file_without_folders(file: dict[str, Any]) -> dict[str, Any]:
    dropped = [row | {"file": _file_name(row["file"]), "of": _file_name(row["of"])} for row in file["dropped"]]
    return file | {"path": _file_name(file["path"]), "dropped": dropped}


def _held_out(outcome: Outcome) -> dict[str, Any] | None:
    """The course of the held-out loss; None where it was not measured."""
    losses = held_out_losses(outcome.log_history)
    if not losses:
        return None
    best, all_of_them = lowest(losses), list(losses.values())
    return {"first_loss": all_of_them[0], "final_loss": all_of_them[-1], "best_loss": losses[best], "best_step": best}


def model_card(card: dict[str, Any]) -> str:
    """The run folder's README.md, with Hugging Face's metadata on top; made to be published, so without local paths."""
    training, settings = card["training"], card["settings"]
    measured = training["held_out"]
    held_out = "{first_loss}, {best_loss}, {final_loss}".format_map(measured) if measured else "not measured"
    hub_id = _hub_id(card["base_model"])
    metadata = ModelCardData(
        base_model=hub_id,
        language=["id"],
        library_name="peft",
        pipeline_tag="text-generation",
        tags=["lora", "koki", "recipes", "indonesian"],
    )
    kinds = "\n".join(f"| {kind} | {count} |" for kind, count in card["examples_by_kind"].items())
    files = "\n".join(f"- `{_file_name(file['path'])}`, SHA-256 `{file['sha256']}`" for file in card["data"]["files"])
    return f"""---
{metadata.to_yaml()}
---

# {card["model_name"]}

A LoRA adapter that answers questions about Indonesian food in Indonesian: {", ".join(card["capabilities"])}.
Made with Koki {card["koki_version"]} on {card["created"]}.

| | |
|---|---|
| Base model | {_base(card, hub_id)} |
| Recipes | {card["recipes"]} |
| Conversations | {card["examples"]} |
| Steps | {training["steps"]}; the adapter is that of step {training["result_step"]} |
| Loss, first to last logged | {training["first_loss"]} to {training["final_loss"]} |
| Loss on recipes held out, first, lowest and last | {held_out} |
| Supervised | {settings["tokens.loss_on"]}, label smoothing {settings["training.label_smoothing_factor"]} |
| Device | {card["environment"]["device"]} |

| Conversations of kind | |
|---|---|
{kinds}

![Loss and learning rate over the steps](report/curves.png)

Trained on:

{files}

The licence is left to whoever publishes it: that of the base model and that of the recipes both count.

Ask it: `koki ask THIS_FOLDER "Resep soto ayam dong!"`, or load it without Koki's commands:

```python
{_loading(card, hub_id)}
```

It was trained with this system prompt:

> {card["system_prompt"]}

It can be wrong. Do not rely on it for allergies or food safety.
"""


def _hub_id(base: dict[str, str]) -> str | None:
    """What the hub can show as the base; None for the base that ships and for a folder."""
    location = base["location"]
    is_there_only = base["name"] == "mini" or "/" not in location.removeprefix("./") or Path(location).is_dir()
    return None if is_there_only else location


def _base(card: dict[str, Any], hub_id: str | None) -> str:
    base = card["base_model"]
    if hub_id is not None:
        return f"[{hub_id}](https://huggingface.co/{hub_id}), revision {base['revision']}"
    if base["name"] == "mini":
        return f"mini, which ships with Koki {card['koki_version']} and is not on the hub; revision {base['revision']}"
    return f"{_file_name(base['name'])}, a folder that is not on the hub; revision {base['revision']}"


def _loading(card: dict[str, Any], hub_id: str | None) -> str:
    """Python that loads base and adapter by peft alone."""
    base = card["base_model"]
    if hub_id is not None:
        first, where = "", f'"{hub_id}", revision="{base["revision"]}"'
    elif base["name"] == "mini":
        first, where = "from importlib.resources import files\n\n", 'files("koki.model") / "mini"'
    else:
        first, where = "", f'"{_file_name(base["name"])}"'
    return f"""{first}from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("THIS_FOLDER")
base = AutoModelForCausalLM.from_pretrained({where})
model = PeftModel.from_pretrained(base, "THIS_FOLDER")"""


def _file_name(path: str) -> str:
    """As plain text in a table or a code span, without its folders, which are nobody's business."""
    name = PurePath(path.replace("\\", "/")).name
    return " ".join(name.replace("`", "'").replace("|", "/").split())
