"""The course of a run as a picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from koki.config import preset_of
from koki.runs.log import held_out_losses

_LOSS: Final = "#b5432a"
_HELD_OUT: Final = "#5a7d2a"
_RATE: Final = "#3b6ea5"
_ROUND: Final = (1, 2, 5, 10)


def draw_curves(card: Mapping[str, Any], name: str, path: Path) -> None:
    """Draw loss, with the held-out loss where there is one, and below it the learning rate, over the steps, as a PNG.

    Args:
        card: of the run, as `koki.runs.card.run_card` makes it.
        name: of the run, for the title.
        path: the PNG to write; its folder is made.
    """
    # the object interface needs no display and leaves pyplot's global state alone
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    log = card["training"]["log"]
    logs = [entry for entry in log if "loss" in entry]
    steps = [entry["step"] for entry in logs]
    figure = Figure(figsize=(8, 6), layout="constrained")
    loss, rate = figure.subplots(2, sharex=True, height_ratios=(2, 1))
    loss.set_title(name, fontsize=15, fontweight="bold", loc="left", pad=24, parse_math=False)
    loss.text(0, 1.03, _made_of(card), transform=loss.transAxes, color="0.35", parse_math=False)
    loss.plot(steps, [entry["loss"] for entry in logs], color=_LOSS, marker=".", label="trained on")
    if losses := held_out_losses(log):
        loss.plot(list(losses), list(losses.values()), color=_HELD_OUT, marker=".", label="held out, not smoothed")
        loss.legend(loc="upper right", frameon=False)
    smoothing = card["settings"]["training.label_smoothing_factor"]
    loss.set_ylabel(f"loss (label-smoothed by {smoothing:g})" if smoothing else "loss")
    rate.plot(steps, [entry["learning_rate"] for entry in logs], color=_RATE)
    rate.set_ylabel("learning rate")
    rate.set_xlabel("step")
    rate.xaxis.set_major_locator(MaxNLocator(5, steps=_ROUND, integer=True))
    rate.ticklabel_format(axis="y", style="plain")
    for axes in (loss, rate):
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=_ROUND))
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _made_of(card: Mapping[str, Any]) -> str:
    """The base, the preset where it is one, and the data of a run."""
    first, *others = (file["path"] for file in card["data"]["files"])
    files = f"{first} and {len(others)} more files" if others else first
    preset = preset_of(card["settings"])
    of = f"{card['base_model']['name']}, preset {preset}" if preset else card["base_model"]["name"]
    return f"{of}: {card['recipes']:,} recipes of {files}"
