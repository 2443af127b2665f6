"""What a run will take: formulas against real models and runs."""

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import torch
from bases import NAMES, published
from helpers import printed
from rich.console import Console
from torch_helpers import CPU
from transformers import AutoModelForCausalLM, PretrainedConfig, Qwen2Config, TrainingArguments

from koki.config import LoraConfig, ModelConfig, RunConfig, load_config, read_assignments
from koki.model.base import load_base
from koki.model.device import Device, detect_device
from koki.model.lora import add_adapter, trainable_parameters
from koki.model.source import find_base
from koki.pipeline import TrainResult, plan, train
from koki.tokens.batches import Seen
from koki.training import resolve as resolve_module
from koki.training.costs import Costs, Shape, Workload
from koki.training.plan import examples_of
from koki.training.resolve import resolve
from koki.training.speed import Speed, measure

GPU = Device("cuda", "a GPU", 1, torch.float16, "fp16")
GIB = 2.0**30
SEEN = Seen(10, 8)

# Qwen2.5-0.5B
HALF_BILLION = Qwen2Config(
    vocab_size=151_936,
    hidden_size=896,
    intermediate_size=4864,
    num_hidden_layers=24,
    num_attention_heads=14,
    num_key_value_heads=2,
    tie_word_embeddings=True,
)


def costs(*assignments: str, model: PretrainedConfig = HALF_BILLION, device: Device = CPU) -> Costs:
    shape = Shape.of(model)
    return Costs(resolve(load_config(settings=read_assignments(assignments)), shape, device), shape, device)


@pytest.mark.parametrize("config", [HALF_BILLION, *map(published, NAMES)], ids=["0.5b", *NAMES])
def test_parameters_are_counted_as_the_model_has_them(config: PretrainedConfig) -> None:
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    shape = Shape.of(config)
    norms_and_biases = sum(p.numel() for name, p in model.named_parameters() if p.ndim == 1)
    assert shape.linear_parameters + shape.embedding_parameters + norms_and_biases == model.num_parameters()


@pytest.mark.parametrize(("name", "billions"), [("0.6b", 0.596), ("1.7b", 1.721), ("sailor2-1b", 0.988)])
def test_a_base_by_name_has_the_parameters_that_its_publisher_tells(name: str, billions: float) -> None:
    shape = Shape.of(published(name))
    assert (shape.linear_parameters + shape.embedding_parameters) / 1e9 == pytest.approx(billions, rel=1e-3)


@pytest.mark.parametrize("modules", [LoraConfig().target_modules, ("q_proj", "down_proj")])
def test_the_adapter_has_the_planned_parameters(modules: tuple[str, ...]) -> None:
    source = find_base(ModelConfig(name="mini"))
    lora = LoraConfig(target_modules=modules)
    trainable, _ = trainable_parameters(add_adapter(load_base(source, ModelConfig(name="mini"), CPU), lora))
    assert Shape.of(source.config).adapter_parameters(lora) == trainable


def test_the_disk_space_is_what_a_run_takes(
    finished_run: TrainResult, short_config: Callable[..., RunConfig], small_base: Path
) -> None:
    files = [file for file in finished_run.folder.rglob("*") if file.is_file()]
    # two checkpoints are kept; while a third is written it is there too
    newest = finished_run.folder / "checkpoint-12"
    peak = sum(file.stat().st_size for file in [*files, *newest.iterdir()])
    shape = Shape.of(find_base(ModelConfig(name=str(small_base))).config)
    planned = Costs(resolve(short_config(), shape, CPU), shape, CPU).disk
    assert planned == pytest.approx(peak, rel=0.15)


def test_the_best_checkpoint_takes_room_beside_the_newest() -> None:
    best = ("evaluation.every_steps=5", "evaluation.load_best_model_at_end=true")
    assert costs(*best).disk == costs("training.save_total_limit=3").disk > costs().disk


@pytest.mark.slow
def test_a_run_has_the_planned_steps_and_tokens(short_config: Callable[..., RunConfig], console: Console) -> None:
    config = short_config("training.max_steps=-1", "training.num_train_epochs=2", "data.variations=3")
    planned = plan(config)
    result = train(config, console)
    card = json.loads((result.folder / "training_metadata.json").read_text("utf-8"))
    assert planned.steps == result.steps
    assert planned.tokens == pytest.approx(
        card["training"]["tokens"], rel=0.03
    )  # of questions as composed, not as typed


@pytest.mark.slow
def test_how_often_each_recipe_is_seen_is_planned_and_said_where_it_is_seldom(
    short_config: Callable[..., RunConfig], console: Console
) -> None:
    config = short_config("training.max_steps=6")  # 12 conversations about 3 recipes
    assert plan(config).as_dict()["seen"] == {"mean": 4.0, "least": 4.0}
    train(config, console)
    assert "each recipe 4 times; to know a new one by heart takes about" in printed(console)


@pytest.mark.slow
def test_who_learns_to_read_need_not_see_a_recipe_often(
    short_config: Callable[..., RunConfig], console: Console
) -> None:
    train(short_config("training.max_steps=2", "data.book_share=0.5", "tokens.max_length=1024"), console)
    assert "by heart" not in printed(console)


def test_checkpointing_takes_time_and_saves_memory() -> None:
    work = Workload(conversations=100, steps=10, examples=40, tokens=10_000, supervised=0.7, length=300, seen=SEEN)
    speed = Speed(multiplications=1e11, per_element=5e-10)
    on, off = (costs(f"training.gradient_checkpointing={value}") for value in ("true", "false"))
    assert on.memory < off.memory
    assert 1.2 < on.seconds(work, speed) / off.seconds(work, speed) < 1.5


def test_time_grows_with_the_tokens() -> None:
    speed = Speed(multiplications=1e11, per_element=5e-10)
    once, twice = (Workload(100, 10 * n, 40 * n, 10_000 * n, 0.7, 300, SEEN) for n in (1, 2))
    assert costs().seconds(twice, speed) == pytest.approx(2 * costs().seconds(once, speed))


def test_many_small_micro_batches_take_longer() -> None:
    work = Workload(conversations=100, steps=10, examples=80, tokens=20_000, supervised=0.7, length=300, seen=SEEN)
    speed = Speed(multiplications=1e11, per_element=5e-10)
    small, large = (costs(f"training.tokens_per_micro_batch={tokens}") for tokens in (1, 4096))
    assert small.seconds(work, speed) > large.seconds(work, speed)


@pytest.mark.parametrize(("free", "on"), [(2 * GIB, True), (64 * GIB, False)])
def test_auto_checkpointing_is_on_only_where_memory_is_short(
    free: float, on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve_module, "free_memory", lambda _: free)
    assert costs("training.gradient_checkpointing=auto").config.training.gradient_checkpointing is on


@pytest.mark.parametrize("setting", [True, False])
def test_checkpointing_that_is_set_is_kept(setting: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve_module, "free_memory", lambda _: 0.0)
    assert costs(f"training.gradient_checkpointing={setting}").config.training.gradient_checkpointing is setting


def test_what_is_decided_stays_when_memory_becomes_short(monkeypatch: pytest.MonkeyPatch) -> None:
    auto = "training.gradient_checkpointing=auto"
    monkeypatch.setattr(resolve_module, "free_memory", lambda _: 64 * GIB)
    decided = costs(auto)
    monkeypatch.setattr(resolve_module, "free_memory", lambda _: 0.0)
    later = costs(auto)
    assert (later.config.training.gradient_checkpointing, decided.config.training.gradient_checkpointing) == (
        True,
        False,
    )


@pytest.mark.parametrize(
    ("memory", "setting", "tokens"),
    [(16 * GIB, "null", 4096), (10 * GIB, "null", 2048), (1 * GIB, "null", 1024), (16 * GIB, "600", 600)],
)
def test_on_a_gpu_as_much_of_a_step_goes_through_at_once_as_fits(
    memory: float, setting: str, tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve_module, "all_memory", lambda: memory)
    settings = (f"training.tokens_per_micro_batch={setting}", "training.gradient_checkpointing=false")
    assert costs(*settings, device=GPU).config.training.tokens_per_micro_batch == tokens


def test_on_a_cpu_no_more_than_the_reference_micro_batch_goes_through_at_once() -> None:
    assert costs().config.training.tokens_per_micro_batch == 2 * 512


def test_a_quantised_base_takes_less_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve_module, "all_memory", lambda: 16 * GIB)
    whole, eight, four = (costs(f"model.quantization={kind}", device=GPU).memory for kind in ("null", "8bit", "4bit"))
    assert four < eight < whole


def test_a_machine_so_busy_that_each_sample_is_over_as_it_begins_is_measured_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = count()  # one goes by whenever the clock is looked at
    monkeypatch.setattr("koki.training.speed.time.perf_counter", lambda: float(next(seconds)))
    speed = measure(8, 8, detect_device("auto"))
    assert speed.multiplications > 0
    assert speed.per_element > 0


def test_the_machine_is_measured_within_a_second_or_two() -> None:
    shape = Shape.of(find_base(ModelConfig(name="mini")).config)
    speed = measure(shape.hidden_size, shape.intermediate_size, detect_device("auto"))
    assert 1e9 < speed.multiplications < 1e16
    assert 1e-13 < speed.per_element < 1e-6


@pytest.mark.slow
def test_short_memory_is_said_before_anything_is_loaded(
    short_config: Callable[..., RunConfig], console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("koki.training.run.free_memory", lambda _: 100e6)
    train(short_config("training.max_steps=1"), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "of memory; 100 MB are free" in text
    assert text.index("100 MB are free") < text.index("Adapter")


@pytest.mark.parametrize("processes", [1, 2, 8])
def test_the_examples_of_a_run_are_those_of_all_processes(processes: int) -> None:
    arguments = cast(TrainingArguments, SimpleNamespace(train_batch_size=8 // processes, world_size=processes))
    assert examples_of(arguments, 100, 13) == 100  # 12 steps of 8, and one of 4
    assert examples_of(arguments, 100, 27) == 208
