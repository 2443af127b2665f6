"""An interrupted and resumed run equals the uninterrupted one, byte for byte."""

import json
import shutil
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from helpers import Interrupting, config_of_short_run, logged, printed, weights
from hub import NEW, OLD, REPOSITORY, fill_cache
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch_helpers import assert_same_end

from koki.config import HARMLESS_ON_RESUME, RunConfig, flatten
from koki.errors import CheckpointError, TrainingError
from koki.inference.chef import Chef
from koki.pipeline import TrainResult, train
from koki.runs.checkpoints import SEAL, write_seal
from koki.tokens.batches import StepCollator
from koki.tokens.dataset import Example

pytestmark = pytest.mark.slow

MakeConfig = Callable[..., RunConfig]


def die() -> None:
    raise RuntimeError("the machine is gone")


@pytest.fixture(scope="module")
def died_run(small_base: Path, recipe_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of twelve steps that died after the ninth, with a checkpoint of the sixth; copy it, do not change it."""
    output = tmp_path_factory.mktemp("runs") / "mati"
    with pytest.raises(TrainingError, match="the machine is gone"):
        train(config_of_short_run(str(small_base), recipe_csv, output), Interrupting({"step 9/12": die}))
    return output


@pytest.fixture
def died(died_run: Path, tmp_path: Path) -> Path:
    """A copy of it where the runs of a test are."""
    return shutil.copytree(died_run, tmp_path / "run")


def test_a_run_that_died_goes_on_from_its_checkpoint_and_ends_as_if_nothing_had_happened(
    short_config: MakeConfig, died: Path, finished_run: TrainResult, console: Console
) -> None:
    result = train(short_config(output=died), console)
    assert "checkpoint-6, the newest whole checkpoint" in printed(console)
    assert_same_end(result.folder, finished_run.folder)


def test_ctrl_c_saves_at_the_next_step_and_the_resumed_run_ends_as_if_nothing_had_happened(
    short_config: MakeConfig, finished_run: TrainResult, console: Console
) -> None:
    config = short_config()
    stopped = train(config, Interrupting({"step 3/12": lambda: signal.raise_signal(signal.SIGINT)}))
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
        train(config, Interrupting({"step 9/12": die}))
    assert_same_end(train(config, console).folder, whole.folder)


def test_a_resumed_run_makes_the_batches_of_the_steps_ahead_and_none_of_those_behind(
    short_config: MakeConfig, died: Path, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    collate = StepCollator.__call__

    def counted(collator: StepCollator, examples: Sequence[Example]) -> dict[str, Any]:
        made.append(len(examples))
        return collate(collator, examples)

    monkeypatch.setattr(StepCollator, "__call__", counted)
    train(short_config(output=died), console)
    assert made == [2] * 6  # steps 7 to 12


def test_a_resumed_adapter_is_on_the_model_once(
    short_config: MakeConfig, died: Path, finished_run: TrainResult, console: Console
) -> None:
    run = train(short_config(output=died), console).folder
    sizes = [(folder / "adapter_model.safetensors").stat().st_size for folder in (run, finished_run.folder)]
    assert sizes[0] == sizes[1]
    assert "base_model.model.base_model" not in weights(run).decode("latin-1")


def test_tensorboard_shows_every_step_once_after_a_resume(short_config: MakeConfig, console: Console) -> None:
    config = short_config("training.save_steps=5")
    with pytest.raises(TrainingError):
        train(config, Interrupting({"step 9/12": die}))  # logged at 6 and 9, after the checkpoint at 5
    events = EventAccumulator(str(train(config, console).folder / "tensorboard")).Reload()
    assert [point.step for point in events.Scalars("train/loss")] == [1, 3, 6, 9, 12]


# Another value for every setting that the result depends on.
OTHERWISE = {
    "seed": 1,
    "model.name": "LAIN",
    "model.revision": "lain",
    "model.quantization": "4bit",
    "lora.r": 8,
    "lora.lora_alpha": 8,
    "lora.lora_dropout": 0.0,
    "lora.bias": "all",
    "lora.target_modules": ["q_proj"],
    "data.variations": 2,
    "data.typing_noise": 0.25,
    "data.validation_fraction": 0.5,
    "data.tips": True,
    "data.refusals": True,
    "tokens.max_length": 64,
    "tokens.loss_on": "all",
    "data.book_share": 0.5,
    "training.num_train_epochs": 9,
    "training.max_steps": 20,
    "training.per_device_train_batch_size": 3,
    "training.gradient_accumulation_steps": 3,
    "training.tokens_per_micro_batch": 64,
    "training.learning_rate": 0.5,
    "training.lr_scheduler_type": "cosine",
    "training.warmup_steps": 3,
    "training.weight_decay": 0.5,
    "training.max_grad_norm": 0.5,
    "training.label_smoothing_factor": 0.5,
    "training.mixed_precision": "no",
}


# With more processes, fewer conversations are accumulated for the same step.
COMPARED_AS = {"training.gradient_accumulation_steps": ("conversations in a step", 3)}


def test_every_setting_is_either_harmless_or_compared() -> None:
    assert set(OTHERWISE) | HARMLESS_ON_RESUME == set(flatten(RunConfig()))
    assert not set(OTHERWISE) & HARMLESS_ON_RESUME


@pytest.mark.parametrize("name", OTHERWISE)
def test_a_checkpoint_made_with_another_setting_is_an_error_with_old_and_new_value(
    short_config: MakeConfig,
    finished_run: TrainResult,
    small_base: Path,
    console: Console,
    tmp_path: Path,
    name: str,
) -> None:
    value = OTHERWISE[name]
    if value == "LAIN":
        value = str(tmp_path / "lain")
        shutil.copytree(small_base, value)
        weights_file = tmp_path / "lain" / "model.safetensors"
        content = weights_file.read_bytes()
        weights_file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    before = sorted(finished_run.folder.rglob("*"))
    config = short_config(f"{name}={json.dumps(value)}", output=finished_run.folder)
    name, value = COMPARED_AS.get(name, (name, value))
    old = json.loads((finished_run.folder / "checkpoint-12" / SEAL).read_text("utf-8"))["identity"][name]
    with pytest.raises(CheckpointError) as caught:
        train(config, console)
    assert f"{name}: {old!r} there, {value!r} now" in caught.value.what
    assert "--fresh" in caught.value.how
    assert sorted(finished_run.folder.rglob("*")) == before


def test_a_base_that_was_moved_is_the_same_base(
    short_config: MakeConfig, finished_run: TrainResult, small_base: Path, console: Console, tmp_path: Path
) -> None:
    for place in ("dulu", "kini"):
        shutil.copytree(small_base, tmp_path / place)
    with pytest.raises(TrainingError):
        train(short_config(f"model.name={tmp_path / 'dulu'}"), Interrupting({"step 9/12": die}))
    shutil.rmtree(tmp_path / "dulu")
    run = train(short_config(f"model.name={tmp_path / 'kini'}"), console).folder
    assert weights(run) == weights(finished_run.folder)


def reseal(checkpoint: Path, **changes: object) -> None:
    """Have a whole checkpoint say something else of its run."""
    identity = json.loads((checkpoint / SEAL).read_text("utf-8"))["identity"]
    by_start = {next(name for name in identity if name.startswith(start)): value for start, value in changes.items()}
    write_seal(checkpoint, identity | by_start)


def test_a_checkpoint_made_in_another_precision_is_an_error_that_names_both(
    short_config: MakeConfig, died: Path, console: Console
) -> None:
    reseal(died / "checkpoint-6", precision="fp16")  # as on a GPU, where `auto` means it
    with pytest.raises(CheckpointError, match=r"training\.mixed_precision was resolved: 'fp16' there, 'no' now"):
        train(short_config(output=died), console)


def test_a_checkpoint_made_with_other_versions_is_gone_on_from_with_a_warning(
    short_config: MakeConfig, died: Path, finished_run: TrainResult, console: Console
) -> None:
    reseal(died / "checkpoint-6", versions={"torch": "2.0.0", "peft": peft.__version__})
    run = train(short_config(output=died), console).folder
    assert f"made with other versions: torch 2.0.0 there, {torch.__version__} now" in printed(console)
    assert weights(run) == weights(finished_run.folder)


def test_a_base_of_the_hub_that_has_a_newer_commit_meanwhile_is_the_one_that_the_run_was_begun_with(
    short_config: MakeConfig,
    finished_run: TrainResult,
    hub_cache: Path,
    small_base: Path,
    newer_base: Path,
    console: Console,
) -> None:
    config = short_config(f"model.name={REPOSITORY}")
    fill_cache(hub_cache, small_base, OLD)
    with pytest.raises(TrainingError):
        train(config, Interrupting({"step 9/12": die}))
    fill_cache(hub_cache, newer_base, NEW)
    run = train(config, console).folder
    assert "checkpoint-6, the newest whole checkpoint" in printed(console)
    assert weights(run) == weights(finished_run.folder)
    base = json.loads((run / "training_metadata.json").read_text("utf-8"))["base_model"]
    assert base == {"name": REPOSITORY, "location": REPOSITORY, "revision": OLD}
    assert f'"{REPOSITORY}", revision="{OLD}"' in (run / "README.md").read_text("utf-8")
    assert Chef.load(run).context == 1024  # the newer one has 512


def test_a_checkpoint_made_with_other_recipes_is_an_error_that_says_so(
    short_config: MakeConfig, died: Path, console: Console, recipe_csv: Path, tmp_path: Path
) -> None:
    other = tmp_path / "lain.csv"
    other.write_text("\n".join(recipe_csv.read_text("utf-8").splitlines()[:-1]), "utf-8")
    with pytest.raises(CheckpointError, match=r"recipes: resep\.csv, 1 of 3 recipes removed\n"):
        train(short_config(f"data.files=[{other}]", output=died), console)


def test_settings_that_cannot_change_the_result_may_change_and_count_from_then_on(
    short_config: MakeConfig, died: Path, finished_run: TrainResult, console: Console
) -> None:
    settings = ("logging_steps=1", "save_steps=1", "save_minutes=60", "save_total_limit=1", "dataloader_num_workers=2")
    run = train(short_config(*(f"training.{setting}" for setting in settings), output=died), console).folder
    assert weights(run) == weights(finished_run.folder)
    assert [entry[0] for entry in logged(run)] == [1, 3, 6, 7, 8, 9, 10, 11, 12]
    assert [folder.name for folder in run.glob("checkpoint-*")] == ["checkpoint-12"]


def test_a_damaged_checkpoint_is_set_aside_and_the_next_older_used(
    short_config: MakeConfig, finished_run: TrainResult, console: Console, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished_run.folder, run)
    (run / "training_metadata.json").unlink()  # it died before its result was saved
    optimizer_file = run / "checkpoint-12" / "optimizer.pt"
    content = bytearray(optimizer_file.read_bytes())
    content[len(content) // 2] ^= 1
    optimizer_file.write_bytes(content)
    train(short_config(), console)
    assert "checkpoint-12: optimizer.pt has changed since it was saved; kept as checkpoint-12.damaged-1" in printed(
        console
    )
    assert (run / "checkpoint-12.damaged-1" / "optimizer.pt").read_bytes() == content
    assert_same_end(run, finished_run.folder)


def test_fresh_starts_over_and_keeps_the_earlier_run(
    short_config: MakeConfig, finished_run: TrainResult, console: Console, tmp_path: Path
) -> None:
    folder = shutil.copytree(finished_run.folder, tmp_path / "run")
    before = weights(folder)
    train(short_config("training.max_steps=1"), console, fresh=True)
    assert weights(folder.with_name("run.old-1")) == before
    assert "the earlier run is kept as" in printed(console)


def test_a_checkpoint_holds_no_pickle_but_what_loads_as_weights_only(finished_run: TrainResult) -> None:
    checkpoint = finished_run.folder / "checkpoint-12"
    assert not (checkpoint / "training_args.bin").exists()
    pickled = [file.name for file in checkpoint.iterdir() if file.suffix in (".pt", ".pth", ".bin", ".pkl")]
    scaler = ["scaler.pt"] if torch.cuda.is_available() else []  # of the loss, in fp16
    assert sorted(pickled) == ["optimizer.pt", *scaler, "scheduler.pt"]
    for file in pickled:
        torch.load(checkpoint / file, weights_only=True)
