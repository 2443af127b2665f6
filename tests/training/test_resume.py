"""An interrupted and resumed run equals the uninterrupted one, byte for byte."""

import io
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import printed
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from koki.config import RunConfig
from koki.errors import CheckpointError, TrainingError
from koki.pipeline import TrainResult, train

MakeConfig = Callable[..., RunConfig]


class Interrupting(Console):
    """A console that does something the moment a text is printed: a hand on the keyboard, or a machine that dies."""

    def __init__(self, moment: str, action: Callable[[], object]) -> None:
        super().__init__(file=io.StringIO(), width=200)
        self._moment, self._action = moment, action

    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*objects, **options)
        if any(self._moment in str(thing) for thing in objects):
            self._action()


def die() -> None:
    raise RuntimeError("the machine is gone")


def weights(folder: Path) -> bytes:
    return (folder / "adapter_model.safetensors").read_bytes()


def optimizer(folder: Path) -> list[torch.Tensor]:
    state = torch.load(folder / "checkpoint-12" / "optimizer.pt", weights_only=True)["state"]
    return [tensor for entry in state.values() for tensor in entry.values()]


def assert_same_end(run: Path, uninterrupted: Path) -> None:
    assert weights(run) == weights(uninterrupted)
    for ours, theirs in zip(optimizer(run), optimizer(uninterrupted), strict=True):
        assert torch.equal(ours, theirs)


def test_a_run_that_died_goes_on_from_its_checkpoint_and_ends_as_if_nothing_had_happened(
    short_config: MakeConfig, finished_run: TrainResult, console: Console
) -> None:
    config = short_config()
    with pytest.raises(TrainingError, match="the machine is gone"):
        train(config, Interrupting("step 9/12", die))
    result = train(config, console)
    assert "checkpoint-6, the newest whole checkpoint" in printed(console)
    assert result.losses == finished_run.losses
    assert_same_end(result.folder, finished_run.folder)


def test_ctrl_c_saves_at_the_next_step_and_the_resumed_run_ends_as_if_nothing_had_happened(
    short_config: MakeConfig, finished_run: TrainResult, console: Console
) -> None:
    config = short_config()
    stopped = train(config, Interrupting("step 3/12", lambda: signal.raise_signal(signal.SIGINT)))
    assert stopped.stopped_by == signal.SIGINT
    assert (stopped.folder / "checkpoint-4").is_dir()
    assert not (stopped.folder / "training_metadata.json").exists()
    result = train(config, console)
    assert_same_end(result.folder, finished_run.folder)


def test_across_epochs_too(short_config: MakeConfig, tmp_path: Path, console: Console) -> None:
    settings = ("data.variations=2", "training.save_steps=4")  # three steps an epoch
    whole = train(short_config(*settings, output=tmp_path / "whole"), console)
    config = short_config(*settings, output=tmp_path / "parts")
    with pytest.raises(TrainingError):
        train(config, Interrupting("step 9/12", die))
    assert_same_end(train(config, console).folder, whole.folder)


def test_a_resumed_adapter_is_on_the_model_once(
    short_config: MakeConfig, finished_run: TrainResult, console: Console
) -> None:
    config = short_config()
    with pytest.raises(TrainingError):
        train(config, Interrupting("step 9/12", die))
    run = train(config, console).folder
    sizes = [(folder / "adapter_model.safetensors").stat().st_size for folder in (run, finished_run.folder)]
    assert sizes[0] == sizes[1]
    assert "base_model.model.base_model" not in weights(run).decode("latin-1")


def test_tensorboard_shows_every_step_once_after_a_resume(short_config: MakeConfig, console: Console) -> None:
    config = short_config("training.save_steps=5")
    with pytest.raises(TrainingError):
        train(config, Interrupting("step 9/12", die))  # logged at 6 and 9, after the checkpoint at 5
    events = EventAccumulator(str(train(config, console).folder / "tensorboard")).Reload()
    assert [point.step for point in events.Scalars("train/loss")] == [1, 3, 6, 9, 12]


def test_a_finished_run_is_not_trained_further(short_config: MakeConfig, console: Console) -> None:
    config = short_config()
    before = weights(train(config, console).folder)
    again = train(config, console)
    assert "already finished at step 12" in printed(console)
    assert weights(again.folder) == before
    assert again.steps == 12


@pytest.mark.parametrize(
    ("setting", "names"),
    [("seed=1", "seed: 42 there, 1 now"), ("lora.lora_dropout=0", "lora.lora_dropout: 0.05 there, 0.0 now")],
)
def test_a_checkpoint_made_with_other_settings_is_an_error_that_names_them(
    short_config: MakeConfig, console: Console, setting: str, names: str
) -> None:
    folder = train(short_config(), console).folder
    before = weights(folder)
    with pytest.raises(CheckpointError, match=names):
        train(short_config(setting), console)
    assert weights(folder) == before


def test_a_checkpoint_made_with_other_recipes_is_an_error_that_says_so(
    short_config: MakeConfig, console: Console, recipe_csv: Path, tmp_path: Path
) -> None:
    train(short_config(), console)
    other = tmp_path / "lain.csv"
    other.write_text("\n".join(recipe_csv.read_text("utf-8").splitlines()[:-1]), "utf-8")
    with pytest.raises(CheckpointError, match="recipes: 3 there, 2 now"):
        train(short_config(f"data.files=[{other}]"), console)


def test_settings_that_cannot_change_the_result_may_change(short_config: MakeConfig, console: Console) -> None:
    with pytest.raises(TrainingError):
        train(short_config(), Interrupting("step 9/12", die))
    assert train(short_config("training.logging_steps=1", "training.save_steps=100"), console).steps == 12


def test_fresh_starts_over_and_keeps_the_earlier_run(short_config: MakeConfig, console: Console) -> None:
    config = short_config()
    folder = train(config, console).folder
    before = weights(folder)
    train(config, console, fresh=True)
    assert weights(folder.with_name("run.old-1")) == before
    assert "the earlier run is kept as" in printed(console)


def test_a_checkpoint_holds_no_pickle_but_what_loads_as_weights_only(finished_run: TrainResult) -> None:
    checkpoint = finished_run.folder / "checkpoint-12"
    assert not (checkpoint / "training_args.bin").exists()
    for file in ("optimizer.pt", "scheduler.pt"):
        torch.load(checkpoint / file, weights_only=True)
    assert json.loads((checkpoint / "trainer_state.json").read_text())["global_step"] == 12
