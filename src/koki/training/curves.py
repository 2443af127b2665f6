"""The course of a run as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from koki.runs.log import held_out_losses


def draw_curves(log_history: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw loss, held-out loss where there is one, and learning rate over the steps as a PNG.

    Args:
        log_history: transformers' ``TrainerState.log_history``.
        path: the PNG to write; its folder is made.
    """
    # the object interface needs no display and leaves pyplot's global state alone
    from matplotlib.figure import Figure

    logs = [entry for entry in log_history if "loss" in entry]
    steps = [entry["step"] for entry in logs]
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    loss_axes = figure.add_subplot()
    loss_axes.plot(steps, [entry["loss"] for entry in logs], color="#b5432a", marker=".", label="trained on")
    if losses := held_out_losses(log_history):
        loss_axes.plot(list(losses), list(losses.values()), color="#5a7d2a", marker=".", label="held out, not smoothed")
        loss_axes.legend(loc="upper right")
    loss_axes.set_xlabel("step")
    loss_axes.set_ylabel("loss (label-smoothed)", color="#b5432a")
    loss_axes.grid(alpha=0.25)
    rate_axes = loss_axes.twinx()
    rate_axes.plot(steps, [entry["learning_rate"] for entry in logs], color="#3b6ea5", linestyle="--")
    rate_axes.set_ylabel("learning rate", color="#3b6ea5")
    rate_axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
