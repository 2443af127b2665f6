"""A finished run is history: the same command says so and changes nothing; another one is told all that differs."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import Interrupting, printed, weights
from rich.console import Console

from koki.config import RunConfig
from koki.errors import CheckpointError, TrainingError
from koki.pipeline import TrainResult, train

MakeConfig = Callable[..., RunConfig]


@pytest.fixture
def finished(finished_run: TrainResult, tmp_path: Path) -> Path:
    """A copy of a finished run where the runs of a test are."""
    return shutil.copytree(finished_run.folder, tmp_path / "run")


def all_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """When each file and folder in a folder was last written, and what it holds."""
    found = [folder, *sorted(folder.rglob("*"))]
    return {str(it): (it.stat().st_mtime_ns, it.read_bytes() if it.is_file() else b"") for it in found}


def with_other_steps(recipe_csv: Path, file: Path) -> Path:
    """The recipes with other steps in the last one."""
    with recipe_csv.open(encoding="utf-8", newline="") as content:
        rows = list(csv.DictReader(content))
    rows[-1]["Steps"] = "Kocok telur.--Kukus sampai matang."
    with file.open("w", encoding="utf-8", newline="") as content:
        writer = csv.DictWriter(content, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


def test_the_same_command_says_that_it_is_finished_and_changes_nothing(
    finished: Path, finished_run: TrainResult, short_config: MakeConfig, console: Console
) -> None:
    before = all_of(finished)
    result = train(short_config(), console)
    assert all_of(finished) == before
    assert f"{finished} was finished at step 12 on" in printed(console)
    assert (result.was_finished, result.steps, result.losses) == (True, 12, finished_run.losses)
    assert result.example_question == finished_run.example_question


@pytest.mark.parametrize(
    "setting", ["training.logging_steps=1", "evaluation.every_steps=2", "training.gradient_checkpointing=true"]
)
def test_a_setting_that_may_change_does_not_change_it_either_and_is_said_to_be_of_no_use(
    finished: Path, short_config: MakeConfig, console: Console, setting: str
) -> None:
    before = all_of(finished)
    train(short_config(setting), console)
    assert all_of(finished) == before
    assert f"Not used    {setting}".lower() in printed(console).lower()


def test_a_finished_run_without_its_checkpoints_is_compared_by_its_settings(
    finished: Path, short_config: MakeConfig, console: Console
) -> None:
    for checkpoint in finished.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
    with pytest.raises(CheckpointError, match=r"lora\.r: "):
        train(short_config("lora.r=3"), console)


def test_a_finished_run_whose_checkpoints_were_deleted_is_not_trained_again(
    finished: Path, short_config: MakeConfig, console: Console
) -> None:
    for checkpoint in finished.glob("checkpoint-*"):
        shutil.rmtree(checkpoint)
    before = all_of(finished)
    assert train(short_config(), console).was_finished
    assert all_of(finished) == before


@pytest.mark.slow
def test_a_result_that_was_lost_is_saved_again_from_the_last_checkpoint(
    finished: Path, finished_run: TrainResult, short_config: MakeConfig, console: Console
) -> None:
    (finished / "adapter_model.safetensors").unlink()
    assert not train(short_config(), console).was_finished
    assert weights(finished) == weights(finished_run.folder)


def test_other_settings_and_recipes_are_refused_in_one_list_and_nothing_is_changed(
    finished: Path, short_config: MakeConfig, console: Console, recipe_csv: Path, tmp_path: Path
) -> None:
    other = with_other_steps(recipe_csv, tmp_path / "resep.csv")
    before = all_of(finished)
    with pytest.raises(CheckpointError) as caught:
        train(short_config("training.num_train_epochs=9", "lora.r=8", f"data.files=[{other}]"), console)
    assert caught.value.what.splitlines()[1:] == [
        "  lora.r: 16 there, 8 now",
        "  training.num_train_epochs: 3 there, 9 now",
        "  recipes: resep.csv, 1 of 3 recipes changed (Telur Dadar)",
    ]
    assert "--fresh" in caught.value.how
    assert all_of(finished) == before


def test_recipes_in_another_file_are_the_same_run(
    finished: Path, short_config: MakeConfig, console: Console, recipe_csv: Path
) -> None:
    moved = finished.with_name("kini.csv")
    moved.write_bytes(recipe_csv.read_bytes().replace(b"\r\n", b"\n"))
    assert train(short_config(f"data.files=[{moved}]"), console).was_finished


def test_a_run_of_a_version_that_kept_no_digests_is_compared_by_its_files(
    finished: Path, short_config: MakeConfig, console: Console, recipe_csv: Path, tmp_path: Path
) -> None:
    (finished / "recipes.json").unlink()
    assert train(short_config(), console).was_finished
    other = with_other_steps(recipe_csv, tmp_path / "resep.csv")
    with pytest.raises(CheckpointError, match="recipes: the files are not those that it was trained on"):
        train(short_config(f"data.files=[{other}]"), console)


# a run that is not finished


@pytest.fixture
def died(short_config: MakeConfig) -> Path:
    """A run with a checkpoint of its first step."""

    def die() -> None:
        raise RuntimeError("the machine is gone")

    config = short_config("training.save_steps=1", "training.logging_steps=1")
    with pytest.raises(TrainingError, match="the machine is gone"):
        train(config, Interrupting({"step 2/12": die}))
    return Path(config.output)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [(), ("seed=7",)])
def test_a_checkpoint_of_other_recipes_is_refused_with_what_became_of_them_beside_the_settings(
    died: Path, short_config: MakeConfig, console: Console, recipe_csv: Path, tmp_path: Path, settings: tuple[str, ...]
) -> None:
    other = with_other_steps(recipe_csv, tmp_path / "resep.csv")
    with pytest.raises(CheckpointError) as caught:
        train(short_config(*settings, f"data.files=[{other}]"), console)
    assert caught.value.what.splitlines() == [
        f"{died / 'checkpoint-1'} was made with other data or settings:",
        *("  seed: 42 there, 7 now" for _ in settings),
        "  recipes: resep.csv, 1 of 3 recipes changed (Telur Dadar)",
    ]


@pytest.mark.slow
def test_a_checkpoint_of_a_version_that_kept_no_digests_is_gone_on_from_and_other_recipes_refused_in_plain_words(
    died: Path, short_config: MakeConfig, console: Console, recipe_csv: Path, tmp_path: Path
) -> None:
    (died / "recipes.json").unlink()
    other = with_other_steps(recipe_csv, tmp_path / "resep.csv")
    with pytest.raises(CheckpointError, match="conversations: others are made of the recipes now"):
        train(short_config(f"data.files=[{other}]"), console)
    assert train(short_config(), console).steps == 12
    assert (died / "recipes.json").is_file()
