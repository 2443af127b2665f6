"""What tests of models and training share: a small base, the settings of a run, and whether two runs end alike."""

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import torch
from helpers import logged, weights
from safetensors.torch import load_file, save_file

from koki.config import ModelConfig, ResolvedConfig, load_config, read_assignments
from koki.model.device import Device
from koki.model.source import find_base
from koki.training.costs import Shape
from koki.training.resolve import resolve

CPU = Device("cpu", "CPU", 1, torch.float32, "no")


def write_small_base(folder: Path) -> Path:
    """Write the base that ships without the layers between its first and its last."""
    shutil.copytree(find_base(ModelConfig(name="mini")).location, folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    last = f"model.layers.{config['num_hidden_layers'] - 1}."
    config |= {"num_hidden_layers": 2, "layer_types": config["layer_types"][:2]}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    kept = {
        name.replace(last, "model.layers.1."): tensor
        for name, tensor in load_file(folder / "model.safetensors").items()
        if not name.startswith("model.layers.") or name.startswith(("model.layers.0.", last))
    }
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def optimizer(folder: Path) -> list[torch.Tensor]:
    """The moments at the end of a run of twelve steps."""
    state = torch.load(folder / "checkpoint-12" / "optimizer.pt", weights_only=True)["state"]
    return [tensor for entry in state.values() for tensor in entry.values()]


def on_device(row: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """A micro-batch there."""
    return {name: it.to(device) if isinstance(it, torch.Tensor) else it for name, it in row.items()}


def assert_same_end(run: Path, uninterrupted: Path) -> None:
    """Weights, optimizer state and logged losses are the same, bit by bit."""
    assert weights(run) == weights(uninterrupted)
    for ours, theirs in zip(optimizer(run), optimizer(uninterrupted), strict=True):
        assert torch.equal(ours, theirs)
    assert logged(run) == logged(uninterrupted)


@cache
def shape_of_mini() -> Shape:
    """The sizes of the base that ships."""
    return Shape.of(find_base(ModelConfig(name="mini")).config)


def resolved(*assignments: str, device: Device = CPU) -> ResolvedConfig:
    """The settings of a run of the base that ships, with nothing left open."""
    return resolve(
        load_config(settings={"model.name": "mini"} | read_assignments(assignments)), shape_of_mini(), device
    )
