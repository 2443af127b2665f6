"""A run that saves what it can, goes on where it can, and lets no bad number into the weights."""

import functools
import inspect
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ParamSpec

import pytest
import torch
from accelerate.utils import AutocastKwargs
from helpers import Interrupting, printed, weights
from rich.console import Console
from safetensors.torch import load_file
from transformers import Trainer

from koki import files
from koki.config import RunConfig
from koki.errors import CheckpointError, ConfigError, TrainingError
from koki.pipeline import TrainResult, train
from koki.runs import checkpoints
from koki.runs import result as result_module
from koki.runs.checkpoints import find_newest
from koki.training.callbacks import STOP_SIGNALS
from koki.training.durable import TRAINER_INTERNALS, DurableTrainer
from koki.training.loss import SupervisedLoss
from koki.training.trainer import RecipeTrainer

# TensorBoard writes in a thread of its own, which dies of what Koki has told.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")

MakeConfig = Callable[..., RunConfig]
P = ParamSpec("P")


def spoil_loss(monkeypatch: pytest.MonkeyPatch, *micro_batches: int) -> None:
    """Make the loss of the n-th micro-batches a nan, as an overflow would."""
    count = 0
    sound = SupervisedLoss.__call__

    def spoiled(*arguments: Any) -> torch.Tensor:
        nonlocal count
        count += 1
        loss = sound(*arguments)
        return loss * torch.nan if count in micro_batches else loss

    monkeypatch.setattr(SupervisedLoss, "__call__", spoiled)


@pytest.mark.slow
def test_a_step_whose_loss_is_not_finite_changes_nothing_and_the_next_goes_on(
    short_config: MakeConfig, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_loss(monkeypatch, 9)  # the first of two in step 5
    settings = ("max_steps=6", "save_steps=1", "save_total_limit=9", "logging_steps=6", "tokens_per_micro_batch=16")
    result = train(short_config(*(f"training.{setting}" for setting in settings)), console)
    before, left_out, after = (result.folder / f"checkpoint-{step}" for step in (4, 5, 6))
    assert weights(left_out) == weights(before) != weights(after)
    moments = [torch.load(folder / "optimizer.pt", weights_only=True)["state"] for folder in (before, left_out)]
    assert all(torch.equal(moments[0][n][name], moments[1][n][name]) for n in moments[0] for name in moments[0][n])
    assert "Step 5 is left out, its numbers are not finite: loss nan" in printed(console)
    assert all(2 < loss < 12 for loss in result.losses)  # a mean over the steps that count


def scale_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scale losses as fp16 on CUDA does, with a scaler of the CPU around arithmetic in float32."""
    make = RecipeTrainer.__init__

    def made(trainer: RecipeTrainer, **arguments: Any) -> None:
        make(trainer, **arguments)
        accelerator: Any = trainer.accelerator
        accelerator.scaler, accelerator.native_amp = torch.amp.GradScaler("cpu"), True
        accelerator.autocast_handler = AutocastKwargs(enabled=False)
        monkeypatch.setattr(accelerator.state, "_mixed_precision", "fp16")

    monkeypatch.setattr(RecipeTrainer, "__init__", made)


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="the scaler is one of the CPU")
@pytest.mark.parametrize("norm", [0, 1])
def test_where_losses_are_scaled_such_a_step_changes_nothing_either_whether_gradients_are_clipped_or_not(
    short_config: MakeConfig, console: Console, monkeypatch: pytest.MonkeyPatch, norm: float
) -> None:
    scale_losses(monkeypatch)
    spoil_loss(monkeypatch, 5)  # the first of two in step 3
    # the norm is asked for by transformers' trainer of today; what is scaled must not depend on it
    monkeypatch.setattr(Trainer, "_get_grad_norm", lambda *_, grad_norm=None: grad_norm)
    settings = ("max_steps=4", "save_steps=1", "save_total_limit=9", f"max_grad_norm={norm}")
    result = train(short_config(*(f"training.{setting}" for setting in settings)), console)
    before, left_out, after = (weights(result.folder / f"checkpoint-{step}") for step in (2, 3, 4))
    assert left_out == before != after
    assert "Step 3 is left out" in printed(console)
    scales = [
        torch.load(result.folder / f"checkpoint-{step}" / "scaler.pt", weights_only=True)["scale"] for step in (2, 3)
    ]
    assert scales[1] == scales[0] / 2


@pytest.mark.slow
def test_losses_that_stay_infinite_end_the_run_with_the_questions_and_what_to_try(
    short_config: MakeConfig, console: Console
) -> None:
    config = short_config("training.learning_rate=1e30", "training.max_nonfinite_steps=2", "training.save_steps=1")
    with pytest.raises(TrainingError) as caught:
        train(config, console)
    assert caught.value.what.startswith("2 steps in a row, up to step 4, were not finite (loss nan")
    assert len(caught.value.what.splitlines()) == 3  # a step is two questions here
    assert any(dish in caught.value.what.lower() for dish in ("soto", "tempe", "telur"))
    assert "training.learning_rate" in caught.value.how
    newest = find_newest(Path(config.output)).newest
    assert newest is not None
    assert all(tensor.isfinite().all() for tensor in load_file(newest.folder / "adapter_model.safetensors").values())


def limit_files(size: int) -> None:
    """From now on a write beyond ``size`` bytes of a file fails, in whatever language it is done; -1 lifts it."""
    resource = pytest.importorskip("resource", reason="Windows limits no files")
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard if size < 0 else size, hard))


def on_a_disk_that_fills(test: Callable[P, None]) -> Callable[P, None]:
    """Lifts the limit before pytest reports the test, perhaps into a file that is larger."""

    @functools.wraps(test)
    def tested(*arguments: P.args, **fixtures: P.kwargs) -> None:
        try:
            test(*arguments, **fixtures)
        finally:
            limit_files(-1)

    return tested


@pytest.fixture(scope="module")
def adapter_size(finished_run: TrainResult) -> int:
    return len(weights(finished_run.folder))


@pytest.mark.slow
@on_a_disk_that_fills
def test_checkpoints_that_cannot_be_written_are_told_and_training_goes_on_with_the_earlier_ones(
    short_config: MakeConfig, finished_run: TrainResult, adapter_size: int
) -> None:
    moments: dict[str, Callable[[], object]] = {
        "step 3/12": lambda: limit_files(adapter_size // 2),  # fails in safetensors' writer
        "at step 4 failed": lambda: limit_files(adapter_size * 3 // 2),  # fails in torch's writer: optimizer.pt
        "at step 6 failed": lambda: limit_files(1),  # fails in Python's writers
        "at step 8 failed": lambda: limit_files(-1),
    }
    console = Interrupting(moments)
    result = train(short_config("training.save_steps=2"), console)
    assert printed(console).count("training goes on, the newest whole checkpoint is") == 3
    assert "run/checkpoint-2\n" in printed(console)
    assert sorted(folder.name for folder in result.folder.glob("checkpoint-*")) == ["checkpoint-10", "checkpoint-12"]
    assert weights(result.folder) == weights(finished_run.folder)


@pytest.mark.slow
@on_a_disk_that_fills
def test_a_result_that_cannot_be_written_is_an_error_and_the_same_command_saves_it_when_there_is_room(
    short_config: MakeConfig, finished_run: TrainResult, adapter_size: int
) -> None:
    config = short_config("training.save_steps=10")
    console = Interrupting({"step 12/12": lambda: limit_files(adapter_size // 2)})
    with pytest.raises(TrainingError, match=r"the result cannot be saved in .*run: ") as caught:
        train(config, console)
    assert "goes on from" in caught.value.how
    assert "checkpoint-10" in caught.value.how
    assert not (Path(config.output) / "training_metadata.json").exists()
    limit_files(-1)
    assert weights(train(config, console).folder) == weights(finished_run.folder)


@pytest.mark.slow
@on_a_disk_that_fills
def test_a_stop_whose_checkpoint_cannot_be_saved_is_an_error_that_names_the_last_one(short_config: MakeConfig) -> None:
    def stop_on_a_full_disk() -> None:
        limit_files(1)
        signal.raise_signal(signal.SIGTERM)

    with pytest.raises(CheckpointError, match="Saving a checkpoint at step 10 failed") as caught:
        train(short_config(), Interrupting({"step 9/12": stop_on_a_full_disk}))
    assert "checkpoint-6" in caught.value.how


@pytest.mark.slow
@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_in_the_final_save_lets_it_be_finished_and_so_does_the_run(
    short_config: MakeConfig,
    finished_run: TrainResult,
    console: Console,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    flush = files.flush_tree

    def signalled(folder: Path) -> None:
        if folder.name == checkpoints.STAGING:  # the result; a checkpoint lies one folder deeper
            signal.raise_signal(number)
        flush(folder)

    monkeypatch.setattr(files, "flush_tree", signalled)
    result = train(short_config(), console)
    assert "Once more stops at once" in printed(console)
    assert result.stopped_by is None
    assert (result.folder / "training_metadata.json").is_file()
    assert weights(result.folder) == weights(finished_run.folder)


@pytest.mark.slow
def test_a_second_ctrl_c_in_the_final_save_stops_at_once_and_the_same_command_saves_the_result(
    short_config: MakeConfig, finished_run: TrainResult, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed_twice(_: Path) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(result_module, "save_adapter", lambda _, folder: pressed_twice(folder))
        with pytest.raises(KeyboardInterrupt):
            train(short_config(), console)
    result = train(short_config(), console)
    assert "was over at step 12 before its result was saved" in printed(console)
    assert weights(result.folder) == weights(finished_run.folder)


@pytest.mark.slow
def test_a_run_folder_that_is_removed_is_told_and_the_result_is_saved_all_the_same(
    short_config: MakeConfig, finished_run: TrainResult
) -> None:
    config = short_config()
    console = Interrupting({"step 3/12": lambda: shutil.rmtree(config.output)})
    run = train(config, console).folder
    assert "Saving a checkpoint at step 6 failed: [Errno 2] No such file or directory" in printed(console)
    assert "training goes on, " in printed(console)
    assert f"{config.output} was removed, with what was saved in it" in printed(console)
    assert printed(console).count("TensorBoard's log cannot be written") == 1
    assert weights(run) == weights(finished_run.folder)
    assert (run / "training_metadata.json").exists()
    assert "was over at step" not in printed(console)
    assert (Path(config.output) / "config.yaml").is_file()


@pytest.mark.slow
def test_an_error_after_the_run_folder_was_removed_says_that_it_was(short_config: MakeConfig) -> None:
    config = short_config()

    def gone() -> None:
        shutil.rmtree(config.output)
        raise RuntimeError("the machine is gone")

    with pytest.raises(TrainingError, match="the machine is gone") as caught:
        train(config, Interrupting({"step 9/12": gone}))
    assert caught.value.how == f"{config.output} was removed, with the checkpoints in it."


@pytest.mark.slow
def test_the_clock_saves_too(short_config: MakeConfig, console: Console) -> None:
    settings = ("save_minutes=1e-9", "save_steps=100", "save_total_limit=9", "max_steps=3")
    run = train(short_config(*(f"training.{setting}" for setting in settings)), console).folder
    assert sorted(folder.name for folder in run.glob("checkpoint-*")) == [
        "checkpoint-1",
        "checkpoint-2",
        "checkpoint-3",
    ]


def test_too_little_room_is_told_before_the_data_are_read(
    short_config: MakeConfig, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6))
    with pytest.raises(ConfigError, match="1 MB are free"):
        train(short_config(), console)
    assert "Conversations" not in printed(console)


@pytest.mark.parametrize("name", TRAINER_INTERNALS)
def test_what_koki_relies_on_of_transformers_trainer_is_there(name: str) -> None:
    assert hasattr(Trainer, name) or re.search(rf"\bself\.{name}\b.*=", inspect.getsource(Trainer))


@pytest.mark.slow
def test_all_that_is_private_to_transformers_trainer_and_used_is_listed() -> None:
    source = inspect.getsource(Trainer)
    own = {name for kind in (DurableTrainer, RecipeTrainer) for name in vars(kind)}
    overridden = {name for name in own if hasattr(Trainer, name) and re.match(r"_[a-z]", name)}
    used = {
        name
        for kind in (DurableTrainer, RecipeTrainer)
        for name in re.findall(r"\b(?:self|trainer|_trainer|super\(\))\.(_[a-z]\w*)", inspect.getsource(kind))
        if re.search(rf"\bself\.{name}\b", source)
    }
    assert overridden | used == set(TRAINER_INTERNALS)


@pytest.mark.parametrize("name", [name for name, why in TRAINER_INTERNALS.items() if why.startswith("overridden")])
def test_what_is_overridden_takes_what_transformers_passes(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(kind, name)).parameters for kind in (DurableTrainer, Trainer))
    assert list(ours) == list(theirs)
