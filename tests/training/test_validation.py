"""Looking at a model while it trains: what is measured and shown, what follows, and that nothing is disturbed."""

import io
import json
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from helpers import Interrupting, config_of_short_run, logged, printed, weights
from peft import PeftModel
from rich.console import Console
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils._python_dispatch import TorchDispatchMode
from torch_helpers import on_device, resolved
from transformers import AutoModelForCausalLM, PreTrainedTokenizerBase, TrainerControl, TrainerState

from koki import pipeline
from koki.book.naming import names_of
from koki.config import RunConfig, load_config, read_assignments
from koki.data import recipes as recipes_module
from koki.dialogue.compose import Composer
from koki.dialogue.phrasebook import load_phrasebook
from koki.dialogue.shelf import shelf_of
from koki.errors import ConfigError, DataError, TrainingError
from koki.inference.chef import Chef
from koki.model.base import prepare_for_training
from koki.model.source import load_tokenizer
from koki.pipeline import TrainResult, train
from koki.recipes.table import read_recipes
from koki.runs.log import held_out_losses, is_out_of_patience
from koki.tokens.dataset import IGNORED, ConversationDataset
from koki.tokens.template import ChatTemplate
from koki.training import loss as loss_module
from koki.training import validation
from koki.training.loss import SupervisedLoss
from koki.training.trainer import RecipeTrainer
from koki.training.validation import (
    SAMPLED_KINDS,
    HeldOut,
    SampledAnswers,
    every_kind_in_turn,
    sampled_questions,
    undisturbed,
)

pytestmark = pytest.mark.slow

MakeConfig = Callable[..., RunConfig]

HELD_OUT = "data.validation_fraction=0.7"  # of the three recipes, that of Telur Dadar
EVERY_THREE = (HELD_OUT, "evaluation.every_steps=3")


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """One of three recipes may be held out, and little is asked of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes_module, "FEWEST_TO_SPLIT", 1)
        patch.setattr(pipeline, "SAMPLED_TOKENS", 6)
        patch.setattr(validation, "MOST_CONVERSATIONS", 6)
        yield


@pytest.fixture(scope="module")
def evaluated_run(
    small_base: Path, recipe_csv: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TrainResult, str]:
    """A finished run of twelve steps that was evaluated every three, and what it printed."""
    output = tmp_path_factory.mktemp("runs") / "dinilai"
    console = Console(file=io.StringIO(), width=200)
    result = train(config_of_short_run(str(small_base), recipe_csv, output, *EVERY_THREE), console)
    return result, printed(console)


@pytest.fixture(scope="module")
def held_out(
    evaluated_run: tuple[TrainResult, str], recipe_csv: Path
) -> tuple[ConversationDataset, PreTrainedTokenizerBase]:
    """The conversations of the recipe held out, and the run's tokenizer."""
    tokenizer = load_tokenizer(str(evaluated_run[0].folder))
    book = load_phrasebook()
    recipes = [recipe for recipe in read_recipes(recipe_csv) if recipe.title == "Telur Dadar"]
    names = names_of(recipes)
    composer = Composer(book, (), shelf_of(recipes, names), RunConfig().seed)
    groups = [composer.compose(recipe, names[recipe.id]) for recipe in recipes]
    template = ChatTemplate(tokenizer, book.system.prompt)
    return ConversationDataset.of(groups, template, len(tokenizer), RunConfig().tokens), tokenizer


def evaluations(folder: Path) -> dict[int, tuple[float, float]]:
    """Step -> held-out loss and bits per byte, as the finished run's metadata has them."""
    log = json.loads((folder / "training_metadata.json").read_text("utf-8"))["training"]["log"]
    found = [(entry["step"], entry["eval_loss"], entry["eval_bits_per_byte"]) for entry in log if "eval_loss" in entry]
    assert len({step for step, *_ in found}) == len(found)
    return {step: (loss, bits) for step, loss, bits in found}


def tensorboard(folder: Path) -> EventAccumulator:
    return EventAccumulator(str(folder / "tensorboard")).Reload()


def script_losses(monkeypatch: pytest.MonkeyPatch, losses: Mapping[int, float]) -> None:
    """Let the held-out loss at each step be this."""

    def nats(trainer: RecipeTrainer, _: object) -> float:
        held_out = trainer._held_out
        assert held_out is not None
        return losses[trainer.state.global_step] * held_out.tokens

    monkeypatch.setattr(RecipeTrainer, "_nats", nats)


# what is measured


def test_the_loss_is_measured_before_the_first_step_every_so_many_and_after_the_last(
    evaluated_run: tuple[TrainResult, str], short_config: MakeConfig, console: Console
) -> None:
    assert list(evaluations(evaluated_run[0].folder)) == [0, 3, 6, 9, 12]
    between = train(short_config(HELD_OUT, "evaluation.every_steps=2", "training.max_steps=3"), console).folder
    assert list(evaluations(between)) == [0, 2, 3]


def test_the_loss_is_that_of_the_plain_padded_computation_with_all_logits(
    evaluated_run: tuple[TrainResult, str],
    held_out: tuple[ConversationDataset, PreTrainedTokenizerBase],
    small_base: Path,
) -> None:
    folder, (dataset, _) = evaluated_run[0].folder, held_out
    numbers = [number for number, _ in zip(every_kind_in_turn(dataset, 42), range(6), strict=False)]
    examples = [dataset[number] for number in numbers]
    longest = max(len(example["input_ids"]) for example in examples)

    def padded(name: str, filler: int) -> torch.Tensor:
        rows = [np.pad(e[name], (0, longest - len(e[name])), constant_values=filler) for e in examples]
        return torch.from_numpy(np.stack(rows))

    labels = padded("labels", IGNORED)
    mask = torch.tensor([[place < len(e["input_ids"]) for place in range(longest)] for e in examples]).long()
    base = AutoModelForCausalLM.from_pretrained(small_base, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, folder)
    with torch.no_grad():
        logits = model(padded("input_ids", 0), attention_mask=mask).logits
    nats = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction="sum")
    loss, bits_per_byte = evaluations(folder)[12]
    rounding = 1e-3 if torch.cuda.is_available() else 1e-5  # on a GPU it was trained and evaluated in float16
    assert loss == pytest.approx(float(nats) / int((labels[:, 1:] != IGNORED).sum()), abs=rounding)
    text_bytes = sum(len(dataset.texts(number)[1].encode("utf-8")) for number in numbers)
    assert bits_per_byte == pytest.approx(float(nats) / math.log(2) / text_bytes, abs=rounding)


def test_the_loss_is_of_the_answers_whatever_is_trained_on(
    evaluated_run: tuple[TrainResult, str], short_config: MakeConfig, console: Console
) -> None:
    on_all = train(short_config(*EVERY_THREE, "tokens.loss_on=all", "training.max_steps=1"), console).folder
    assert evaluations(on_all)[0] == evaluations(evaluated_run[0].folder)[0]


def test_beside_each_loss_stands_how_many_tokens_were_trained_on(evaluated_run: tuple[TrainResult, str]) -> None:
    training = json.loads((evaluated_run[0].folder / "training_metadata.json").read_text("utf-8"))["training"]
    tokens = [entry["num_input_tokens_seen"] for entry in training["log"] if "eval_loss" in entry]
    assert tokens[0] == 0
    assert tokens == sorted(set(tokens))
    assert tokens[-1] == training["tokens"]


def test_every_kind_of_conversation_is_measured_in_turn_the_same_ones_each_time(
    held_out: tuple[ConversationDataset, PreTrainedTokenizerBase],
) -> None:
    dataset, _ = held_out
    order = list(every_kind_in_turn(dataset, 42))
    assert sorted(order) == list(range(len(dataset)))
    assert [dataset.kind(number) for number in order[:8]] == 2 * ["standard", "simple", "recommendation", "inquiry"]
    assert order == list(every_kind_in_turn(dataset, 42)) != list(every_kind_in_turn(dataset, 43))


class WideTensors(TorchDispatchMode):
    """The most rows of a tensor as wide as the vocabulary, of those that come into being meanwhile."""

    def __init__(self, width: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._width = width
        self.most_rows = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        is_made = isinstance(result, torch.Tensor) and not func.is_view
        if is_made and result.dim() and result.shape[-1] == self._width:
            self.most_rows = max(self.most_rows, result.numel() // self._width)
        return result


def test_logits_exist_for_a_chunk_of_positions_at_a_time_in_rows_no_longer_than_those_trained_on(
    evaluated_run: tuple[TrainResult, str],
    held_out: tuple[ConversationDataset, PreTrainedTokenizerBase],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dataset, tokenizer = held_out
    config = resolved("training.tokens_per_micro_batch=600")
    rows = HeldOut.of(dataset, tokenizer, config).rows
    assert len(rows) > 1
    assert max(row["input_ids"].numel() for row in rows) <= 600
    engine: Any = Chef.load(evaluated_run[0].folder, engine="transformers")._engine
    model = engine._model
    prepare_for_training(model, config.model, gradient_checkpointing=False)
    vocabulary = model.config.vocab_size
    monkeypatch.setattr(loss_module, "LOGITS_AT_ONCE", 4 * vocabulary)
    with WideTensors(vocabulary) as wide, undisturbed(model):
        SupervisedLoss(model.get_output_embeddings(), label_smoothing=0)(model, on_device(rows[0], model.device))
    assert 0 < wide.most_rows <= 4


# what it leaves alone


def test_an_evaluated_run_ends_with_the_very_weights_of_one_that_is_not(
    evaluated_run: tuple[TrainResult, str], short_config: MakeConfig, console: Console
) -> None:
    plain = train(short_config(HELD_OUT), console)
    assert weights(plain.folder) == weights(evaluated_run[0].folder)
    assert plain.losses == evaluated_run[0].losses


def test_a_look_leaves_random_numbers_and_the_models_mode_as_they_were() -> None:
    model = torch.nn.Dropout(0.5).train()
    before = torch.get_rng_state()
    with undisturbed(model):
        torch.rand(3)
        assert not model.training
        assert not torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), before)
    assert model.training


# where it is told


def test_terminal_tensorboard_log_and_metadata_agree(evaluated_run: tuple[TrainResult, str]) -> None:
    result, text = evaluated_run
    measured = evaluations(result.folder)
    for step, (loss, bits) in measured.items():
        assert f"step {step}/12  held-out loss {loss:.4f}  {bits:.3f} bits per byte" in text
    for tag, place in (("eval/loss", 0), ("eval/bits_per_byte", 1)):
        points = {point.step: point.value for point in tensorboard(result.folder).Scalars(tag)}
        assert points == pytest.approx({step: values[place] for step, values in measured.items()}, rel=1e-6)
    card = json.loads((result.folder / "training_metadata.json").read_text("utf-8"))["training"]
    losses = {step: loss for step, (loss, _) in measured.items()}
    best = min(losses, key=lambda step: losses[step])
    assert card["held_out"] == {
        "first_loss": losses[0],
        "final_loss": losses[12],
        "best_loss": losses[best],
        "best_step": best,
    }
    assert card["result_step"] == 12
    digits = ", ".join(f"{losses[step]:.4f}" for step in (0, best, 12))
    assert f"| Loss on recipes held out, first, lowest and last | {digits} |" in (
        result.folder / "README.md"
    ).read_text("utf-8")


def test_the_speed_is_that_of_training_without_the_time_of_evaluations(
    short_config: MakeConfig, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds_ahead = 0

    def answer(*_: object) -> list[str]:
        nonlocal seconds_ahead
        seconds_ahead += 10_000
        return [""] * len(SAMPLED_KINDS)

    clock = SimpleNamespace(perf_counter=lambda: time.perf_counter() + seconds_ahead)
    monkeypatch.setattr("koki.training.durable.time", clock)
    monkeypatch.setattr("koki.pipeline._first_words", answer)
    settings = ("evaluation.every_steps=3", "training.max_steps=6", "training.logging_steps=1")
    run = train(short_config(*settings), console).folder
    log = json.loads((run / "training_metadata.json").read_text("utf-8"))["training"]["log"]
    speeds = {entry["step"]: entry["tokens_per_second"] for entry in log if "loss" in entry}
    assert not any("tokens_per_second" in entry for entry in log if "loss" not in entry)
    assert seconds_ahead == 30_000
    assert min(speeds.values()) > 1  # of the hundreds of tokens of a step
    for step, speed in speeds.items():
        assert re.search(rf"step {step}/6  loss .* {speed:,.0f} tokens/s", printed(console))


def test_three_questions_of_three_kinds_are_answered_at_each_evaluation_the_same_each_time(
    evaluated_run: tuple[TrainResult, str], held_out: tuple[ConversationDataset, PreTrainedTokenizerBase]
) -> None:
    (result, text), (dataset, _) = evaluated_run, held_out
    questions = sampled_questions(dataset, 42)
    kinds = [{dataset.kind(n) for n in range(len(dataset)) if dataset.texts(n)[0] == asked} for asked in questions]
    assert kinds == [{kind} for kind in SAMPLED_KINDS]
    events = tensorboard(result.folder)
    for number, question in enumerate(questions, start=1):
        assert text.count(f"  {question}") == 5
        points = events.Tensors(f"answers/{number}/text_summary")
        assert [point.step for point in points] == [0, 3, 6, 9, 12]
        assert all(question in point.tensor_proto.string_val[0].decode() for point in points)


def test_the_model_in_training_answers_as_the_finished_one_does(evaluated_run: tuple[TrainResult, str]) -> None:
    folder = evaluated_run[0].folder
    last = tensorboard(folder).Tensors("answers/1/text_summary")[-1].tensor_proto.string_val[0].decode()
    question, answer = (part.strip() for part in last.split("---"))
    assert answer == Chef.load(folder).ask(question, max_new_tokens=6, book=False).answer


def test_where_nothing_is_held_out_answers_to_what_is_trained_on_are_shown_with_checkpointing_too(
    short_config: MakeConfig, console: Console
) -> None:
    settings = ("evaluation.every_steps=1", "training.max_steps=1", "training.gradient_checkpointing=true")
    folder = train(short_config(*settings), console).folder
    assert evaluations(folder) == {}
    assert [point.step for point in tensorboard(folder).Tensors("answers/1/text_summary")] == [0, 1]
    assert "cannot be asked" not in printed(console)


def show(answer: Callable[[Sequence[str]], Sequence[str]], console: Console) -> None:
    shown = SampledAnswers(["Resep [b]soto[/b]?"], answer, console, lambda *_: None, console.print)
    model = torch.nn.Linear(1, 1)
    shown.on_evaluate(None, TrainerState(), TrainerControl(), model=model)  # type: ignore[arg-type]  # it reads none


def test_an_answer_is_shown_as_text_in_short_whatever_it_holds(console: Console) -> None:
    show(lambda _: ["Bahan:\n- [red]ayam[/red]\x1b[2J" + 99 * " dan lagi"], console)
    question, *answer = printed(console).splitlines()
    assert question.strip() == "Resep [b]soto[/b]?"
    assert answer[0].startswith("    Bahan: - [red]ayam[/red] [2J dan lagi")
    assert len(answer) == 2
    assert answer[-1].rstrip().endswith(" ...")


def test_an_answer_that_cannot_be_given_is_told_and_training_goes_on(console: Console) -> None:
    def fail(_: object) -> list[str]:
        raise MemoryError("no room")

    show(fail, console)
    assert "the model cannot be asked now: MemoryError: no room; training goes on" in printed(console)


def test_where_each_process_holds_a_part_of_the_base_it_ends_the_training_or_the_others_would_wait(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> list[str]:
        raise MemoryError("no room")

    monkeypatch.setattr(validation, "is_sharded", lambda _: True)
    with pytest.raises(MemoryError):
        show(fail, console)


# a run that is interrupted


def die() -> None:
    raise RuntimeError("the machine is gone")


@pytest.mark.parametrize("moment", ["step 3/12  loss", "step 9/12  loss"])
def test_a_run_that_died_and_went_on_has_the_same_evaluations_each_once(
    evaluated_run: tuple[TrainResult, str], short_config: MakeConfig, console: Console, moment: str
) -> None:
    with pytest.raises(TrainingError):
        train(short_config(*EVERY_THREE), Interrupting({moment: die}))
    folder, whole = train(short_config(*EVERY_THREE), console).folder, evaluated_run[0].folder
    assert weights(folder) == weights(whole)
    assert logged(folder) == logged(whole)
    assert evaluations(folder) == evaluations(whole)
    for tag in ("eval/loss", "eval/bits_per_byte"):
        assert [point.step for point in tensorboard(folder).Scalars(tag)] == [0, 3, 6, 9, 12]


# early stopping


@pytest.mark.parametrize(
    ("losses", "patience", "is_out"),
    [
        ([], 1, False),
        ([3], 1, False),
        ([3, 2], 1, False),
        ([3, 2, 2], 1, True),  # no new lowest
        ([3, 2, 4], 2, False),
        ([3, 2, 4, 3], 2, True),
        ([3, 2, 4, 1], 2, False),
        ([3, math.nan], 1, True),
        ([math.nan, 3], 1, False),
        ([1, 2, 3], None, False),
    ],
)
def test_patience_is_over_after_so_many_evaluations_without_a_new_lowest_loss(
    losses: list[float], patience: int | None, is_out: bool
) -> None:
    log = [{"step": 10 * number, "eval_loss": loss} for number, loss in enumerate(losses)]
    assert is_out_of_patience(held_out_losses([{"step": 5, "loss": 9.0}, *log]), patience) == is_out


STOPS_EARLY = (HELD_OUT, "evaluation.every_steps=1", "training.learning_rate=0.3", "training.max_nonfinite_steps=9")


def test_a_run_whose_held_out_loss_rises_stops_early_saves_and_is_finished_unless_it_is_given_more_patience(
    short_config: MakeConfig, console: Console
) -> None:
    settings = (*STOPS_EARLY, "training.max_steps=4", "evaluation.early_stopping_patience=2")
    result = train(short_config(*settings), console)
    assert (result.steps, result.stopped_by) == (2, None)
    assert "the held-out loss was lowest at step 0" in printed(console)
    assert list(evaluations(result.folder)) == [0, 1, 2]
    assert len(result.losses) == 2
    again = train(short_config(*settings), console)
    assert "was finished at step 2 on" in printed(console)
    assert (again.steps, weights(again.folder)) == (2, weights(result.folder / "checkpoint-2"))
    assert train(short_config(*settings, "evaluation.early_stopping_patience=null"), console).steps == 4


# the best


BEST_AT_FOUR = {0: 5.0, 2: 4.0, 4: 1.0, 6: 3.0, 8: 2.0}
TAKES_THE_BEST = (
    HELD_OUT,
    "evaluation.every_steps=2",
    "evaluation.load_best_model_at_end=true",
    "training.max_steps=8",
    "training.save_total_limit=1",
)


def test_the_best_adapter_is_saved_kept_and_the_result_across_an_interruption_too(
    short_config: MakeConfig, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    script_losses(monkeypatch, BEST_AT_FOUR)
    with pytest.raises(TrainingError):
        train(short_config(*TAKES_THE_BEST), Interrupting({"step 8/8  loss": die}))
    folder = train(short_config(*TAKES_THE_BEST), console).folder
    assert sorted(found.name for found in folder.glob("checkpoint-*")) == ["checkpoint-4", "checkpoint-8"]
    assert f"the result is the adapter of {folder / 'checkpoint-4'}, held-out loss 1.0000" in printed(console)
    result, best = (load_file(place / "adapter_model.safetensors") for place in (folder, folder / "checkpoint-4"))
    assert result.keys() == best.keys()
    assert all(torch.equal(result[name], best[name]) for name in best)
    assert weights(folder) != weights(folder / "checkpoint-8")
    card = json.loads((folder / "training_metadata.json").read_text("utf-8"))["training"]
    assert (card["steps"], card["result_step"]) == (8, 4)
    assert "the base alone" not in printed(console)


def test_where_no_step_is_better_than_the_base_the_best_of_those_trained_is_kept_and_that_is_said(
    short_config: MakeConfig, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    script_losses(monkeypatch, BEST_AT_FOUR | {0: 0.5})
    folder = train(short_config(*TAKES_THE_BEST), console).folder
    assert sorted(found.name for found in folder.glob("checkpoint-*")) == ["checkpoint-4", "checkpoint-8"]
    assert f"the result is the adapter of {folder / 'checkpoint-4'}, held-out loss 1.0000" in printed(console)
    assert "the base alone has 0.5000" in printed(console)
    card = json.loads((folder / "training_metadata.json").read_text("utf-8"))["training"]
    assert (card["result_step"], card["held_out"]["best_step"]) == (4, 0)


# settings


@pytest.mark.parametrize("setting", ["early_stopping_patience=3", "load_best_model_at_end=true"])
def test_a_choice_by_a_loss_that_is_never_measured_is_an_error(setting: str) -> None:
    name = setting.partition("=")[0]
    with pytest.raises(ConfigError, match=f"evaluation.{name} .* it needs evaluation.every_steps"):
        load_config(settings=read_assignments([f"evaluation.{setting}"]))
    load_config(settings=read_assignments([f"evaluation.{setting}", "evaluation.every_steps=5"]))


@pytest.mark.parametrize("setting", ["early_stopping_patience=3", "load_best_model_at_end=true"])
def test_a_choice_by_a_loss_is_an_error_where_nothing_is_held_out(
    short_config: MakeConfig, console: Console, setting: str
) -> None:
    with pytest.raises(DataError, match="No recipe is held out"):
        train(short_config("evaluation.every_steps=3", f"evaluation.{setting}"), console)


def test_by_default_nothing_is_evaluated(short_config: MakeConfig, console: Console) -> None:
    folder = train(short_config(HELD_OUT, "training.max_steps=1"), console).folder
    assert evaluations(folder) == {}
    assert "answers" not in tensorboard(folder).Tags()["tensors"]
    assert json.loads((folder / "training_metadata.json").read_text("utf-8"))["training"]["held_out"] is None
