"""Every box of the flowchart leaves something that would be missing without it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import SOTO, printed, write_csv
from rich.console import Console
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils import tensorboard
from transformers import AutoModelForCausalLM, AutoTokenizer

import koki
from koki.config import ModelConfig, RunConfig, flatten, load_config
from koki.errors import ConfigError, DataError, ModelError, RecipeFileNotFound, TrainingError
from koki.model.source import find_base
from koki.pipeline import TrainResult, train

MakeConfig = Callable[..., RunConfig]


@pytest.fixture(scope="module")
def metadata(finished_run: TrainResult) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((finished_run.folder / "training_metadata.json").read_text("utf-8"))
    return content


def test_the_loss_falls_clearly(finished_run: TrainResult) -> None:
    assert finished_run.losses[-1] < finished_run.losses[0] - 0.2


def test_the_adapter_has_learned_something(finished_run: TrainResult) -> None:
    weights = load_file(finished_run.folder / "adapter_model.safetensors")
    assert all(bool(tensor.any()) for name, tensor in weights.items() if "lora_B" in name)


def test_plain_peft_and_transformers_open_the_run_folder(finished_run: TrainResult) -> None:
    tokenizer = AutoTokenizer.from_pretrained(finished_run.folder)
    model = AutoModelForCausalLM.from_pretrained(finished_run.folder)  # transformers finds base and adapter
    ids = tokenizer("Soto ayam", return_tensors="pt")
    with torch.no_grad():
        assert model(**ids).logits.shape[-1] == model.config.vocab_size


def test_metadata_says_what_was_trained_on_what_with_what_and_how_it_went(
    metadata: dict[str, Any], recipe_csv: Path, finished_run: TrainResult
) -> None:
    assert metadata["koki_version"] == koki.__version__
    assert metadata["base_model"]["name"] == "mini"
    assert metadata["base_model"]["revision"]
    assert metadata["recipes"] == 3
    assert metadata["examples"] == sum(metadata["examples_by_kind"].values()) > 100
    assert metadata["capabilities"] == ["full recipe", "simple question", "recommendation", "inquiry", "tip"]
    (file,) = metadata["data"]["files"]
    assert file["path"] == recipe_csv.name
    assert len(file["sha256"]) == 64
    assert metadata["settings"]["lora.r"] == 16
    assert metadata["training"]["steps"] == 12
    assert metadata["training"]["loss"]["last"] == pytest.approx(finished_run.losses[-1])
    assert metadata["environment"]["libraries"]["torch"] == torch.__version__


def test_the_card_tells_the_loss_in_four_digits_and_asks_for_a_dish_that_was_trained_on(
    finished_run: TrainResult,
) -> None:
    card = (finished_run.folder / "README.md").read_text("utf-8")
    first, last = sum(step * finished_run.losses[i] for i, step in ((0, 1), (1, 2))) / 3, finished_run.losses[-1]
    assert f"| Loss | {first:.4f}, mean of the first 3 steps, to {last:.4f}, of the last 3 |" in card
    assert 'koki ask THIS_FOLDER "Tolong berikan resep Soto Ayam."' in card
    assert finished_run.example_question == "Tolong berikan resep Soto Ayam."


def test_the_run_folder_is_complete(finished_run: TrainResult) -> None:
    for name in (
        "adapter_config.json",
        "adapter_model.safetensors",
        "tokenizer.json",
        "chat_template.jinja",
        "README.md",
        "config.yaml",
        "recipes.json",
        "training_metadata.json",
        "book.sqlite",
        "report/curves.png",
    ):
        assert (finished_run.folder / name).stat().st_size > 0


@pytest.mark.slow
def test_checkpoints_are_written_every_so_many_steps_and_the_newest_two_kept(
    finished_run: TrainResult, short_config: MakeConfig, console: Console
) -> None:
    assert sorted(folder.name for folder in finished_run.folder.glob("checkpoint-*")) == [
        "checkpoint-12",
        "checkpoint-6",
    ]
    run = train(short_config("training.save_steps=3"), console).folder
    assert sorted(folder.name for folder in run.glob("checkpoint-*")) == ["checkpoint-12", "checkpoint-9"]


def test_tensorboard_has_the_loss_of_every_log(finished_run: TrainResult) -> None:
    events = EventAccumulator(str(finished_run.folder / "tensorboard")).Reload()
    assert [point.step for point in events.Scalars("train/loss")] == [1, 3, 6, 9, 12]


@pytest.mark.slow
def test_the_last_loss_is_logged_also_between_two_logs(short_config: MakeConfig, console: Console) -> None:
    result = train(short_config("training.max_steps=5"), console)
    events = EventAccumulator(str(result.folder / "tensorboard")).Reload()
    assert [point.step for point in events.Scalars("train/loss")] == [1, 3, 5]


def test_the_configuration_can_be_passed_back(finished_run: TrainResult) -> None:
    config = load_config(finished_run.folder / "config.yaml")
    assert config.training.max_steps == 12
    assert config.data.variations == 8


@pytest.mark.slow
def test_what_was_asked_for_is_recorded_not_what_was_decided_for_it(
    metadata: dict[str, Any], finished_run: TrainResult
) -> None:
    written = flatten(load_config(finished_run.folder / "config.yaml"))
    for settings in (metadata["settings"], written):
        assert settings["training.mixed_precision"] == "auto"


def test_device_start_data_and_conversations_are_told(short_config: MakeConfig, console: Console) -> None:
    train(short_config("training.max_steps=1"), console)
    text = printed(console)
    for line in ("Device", "no checkpoint in the run folder", "parameters are trained", "resep.csv", "Conversations"):
        assert line in text


@pytest.mark.slow
def test_a_run_that_ends_within_its_warm_up_is_told(short_config: MakeConfig, console: Console) -> None:
    train(short_config("training.max_steps=1"), console)
    assert "1 steps, all of them in the warm-up of 2" in printed(console)


@pytest.mark.slow
def test_gradient_checkpointing_gives_the_same_result(
    short_config: MakeConfig, console: Console, tmp_path: Path
) -> None:
    with_it = short_config("training.gradient_checkpointing=true", "training.max_steps=3", output=tmp_path / "a")
    without = short_config("training.max_steps=3", output=tmp_path / "b")
    assert train(with_it, console).losses == pytest.approx(train(without, console).losses, rel=1e-5)


@pytest.mark.slow
def test_a_base_without_a_pad_token_gets_one_that_is_not_its_stop_token(
    short_config: MakeConfig, console: Console, tmp_path: Path
) -> None:
    base = tmp_path / "tanpa-pad"
    shutil.copytree(find_base(ModelConfig(name="mini")).location, base)
    settings = json.loads((base / "tokenizer_config.json").read_text("utf-8"))
    del settings["pad_token"]
    (base / "tokenizer_config.json").write_text(json.dumps(settings), "utf-8")
    run = train(short_config(f"model.name={base}", "training.max_steps=1"), console).folder
    tokenizer = AutoTokenizer.from_pretrained(run)
    assert tokenizer.pad_token_id not in (None, tokenizer.eos_token_id)


def test_a_base_whose_template_would_not_teach_to_stop_is_refused_before_training(
    short_config: MakeConfig, console: Console, tmp_path: Path
) -> None:
    base = tmp_path / "tanpa-henti"
    shutil.copytree(find_base(ModelConfig(name="mini")).location, base)
    template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    (base / "chat_template.jinja").write_text(template, "utf-8")
    with pytest.raises(ModelError, match="stop token"):
        train(short_config(f"model.name={base}"), console)


@pytest.mark.slow
def test_loss_on_all_tokens_is_another_loss(short_config: MakeConfig, console: Console, tmp_path: Path) -> None:
    answer = train(short_config("training.max_steps=1", output=tmp_path / "a"), console)
    everything = train(short_config("training.max_steps=1", "tokens.loss_on=all", output=tmp_path / "b"), console)
    assert answer.losses != everything.losses


def test_a_missing_file_is_a_file_not_found_error_with_the_path(short_config: MakeConfig, console: Console) -> None:
    with pytest.raises(RecipeFileNotFound, match="resep-saya") as caught:
        train(short_config("data.files=[resep-saya.csv]"), console)
    assert isinstance(caught.value, FileNotFoundError)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "a"),
        ("Title,Ingredients,Steps\nSoto,nan,nan\n", "No recipe"),
    ],
)
def test_a_malformed_file_is_an_error_before_anything_is_written(
    short_config: MakeConfig, console: Console, tmp_path: Path, content: str, says: str
) -> None:
    file = tmp_path / "rusak.csv"
    file.write_text(content)
    with pytest.raises(DataError, match=says):
        train(short_config(f"data.files=[{file}]"), console)
    assert not (tmp_path / "run" / "training_metadata.json").exists()


@pytest.mark.slow
def test_rows_of_the_literal_nan_are_dropped_and_told(
    short_config: MakeConfig, console: Console, tmp_path: Path
) -> None:
    file = write_csv(tmp_path / "r.csv", [SOTO, SOTO | {"Title": "Sop", "Steps": "nan"}])
    train(short_config(f"data.files=[{file}]", "training.max_steps=1"), console)
    assert "steps are 'nan'" in printed(console)


@pytest.mark.slow
def test_the_account_of_dropped_rows_names_no_folder(
    short_config: MakeConfig, console: Console, tmp_path: Path
) -> None:
    file = write_csv(tmp_path / "r.csv", [SOTO, SOTO])
    run = train(short_config(f"data.files=[{file}]", "training.max_steps=1"), console).folder
    [read] = json.loads((run / "training_metadata.json").read_text("utf-8"))["data"]["files"]
    assert [(row["file"], row["of"]) for row in read["dropped"]] == [("r.csv", "r.csv:2")]


def test_a_folder_of_something_else_is_not_used_as_a_run_folder(
    short_config: MakeConfig, console: Console, tmp_path: Path
) -> None:
    (tmp_path / "foto.jpg").touch()
    with pytest.raises(ConfigError, match="was not made by Koki"):
        train(short_config(output=tmp_path), console)
    with pytest.raises(ConfigError, match="is a file"):
        train(short_config(output=tmp_path / "foto.jpg"), console)


@pytest.mark.slow
def test_a_failure_in_training_closes_tensorboard_and_leaves_earlier_checkpoints(
    short_config: MakeConfig, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    from koki.training.trainer import RecipeTrainer

    step = RecipeTrainer.training_step

    def failing(self: RecipeTrainer, *arguments: Any, **options: Any) -> Any:
        if self.state.global_step == 8:
            raise MemoryError("no room for a batch")
        return step(self, *arguments, **options)

    monkeypatch.setattr(RecipeTrainer, "training_step", failing)
    closed = 0

    class Counting(tensorboard.SummaryWriter):
        def close(self) -> None:
            nonlocal closed
            closed += 1
            super().close()

    monkeypatch.setattr(tensorboard, "SummaryWriter", Counting)
    config = short_config()
    with pytest.raises(TrainingError, match="step 8: MemoryError: no room for a batch") as caught:
        train(config, console)
    assert "checkpoint-6" in caught.value.how
    assert closed
    assert (Path(config.output) / "checkpoint-6" / "adapter_model.safetensors").exists()
