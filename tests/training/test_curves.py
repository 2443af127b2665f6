"""The picture of a run: two panels, under what the run is."""

from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from koki.config import flatten, load_config
from koki.training.curves import draw_curves

LOG = [{"step": step, "loss": 2 / step, "learning_rate": 2e-5 * step / 40} for step in (1, 10, 20, 30, 43)]


def card(*files: str, preset: str | None = None, log: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "base_model": {"name": "mini"},
        "recipes": 1280,
        "data": {"files": [{"path": file} for file in files]},
        "settings": flatten(load_config(preset=preset)),
        "training": {"log": log or LOG},
    }


def drawn(card: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Figure:
    """The figure that was saved as a PNG."""
    kept: list[Figure] = []
    save = Figure.savefig

    def keep(figure: Figure, *arguments: Any, **options: Any) -> None:
        kept.append(figure)
        save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", keep)
    draw_curves(card, "warung $1$", folder / "report" / "curves.png")
    assert (folder / "report" / "curves.png").read_bytes().startswith(b"\x89PNG")
    return kept[0]


def test_loss_and_learning_rate_have_a_panel_each_under_name_base_preset_and_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss, rate = drawn(card("resep.csv", preset="laptop"), tmp_path, monkeypatch).axes
    assert loss.get_title(loc="left") == "warung $1$"
    assert [text.get_text() for text in loss.texts] == ["mini, preset laptop: 1,280 recipes of resep.csv"]
    assert (loss.get_ylabel(), rate.get_ylabel(), rate.get_xlabel()) == ("loss", "learning rate", "step")
    assert [len(axes.lines) for axes in (loss, rate)] == [1, 1]


def test_the_held_out_loss_stands_beside_the_loss_and_smoothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = card("a.csv", "b.csv", log=[*LOG, {"step": 0, "eval_loss": 2.5}, {"step": 43, "eval_loss": 1.5}])
    loss, _ = drawn(watched, tmp_path, monkeypatch).axes
    assert [line.get_label() for line in loss.lines] == ["trained on", "held out, not smoothed"]
    assert loss.get_ylabel() == "loss (label-smoothed by 0.1)"
    assert loss.texts[0].get_text().endswith("1,280 recipes of a.csv and 1 more files")


def test_ticks_are_round_and_without_exponents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = drawn(card("resep.csv"), tmp_path, monkeypatch)
    labels = [label.get_text() for axes in figure.axes for label in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    assert {"0", "10", "40", "0.00001"} <= {label.rstrip("0") if "." in label else label for label in labels}
    assert not any("e" in text for text in (*labels, figure.axes[1].yaxis.get_offset_text().get_text()))
