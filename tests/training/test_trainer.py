"""The reference settings reach transformers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import printed
from rich.console import Console
from safetensors.torch import load_file
from torch_helpers import CPU, resolved

from koki.config import RunConfig
from koki.errors import TrainingError
from koki.model.device import Device, detect_device
from koki.pipeline import train
from koki.training.loss import Batch, SupervisedLoss
from koki.training.trainer import optimizer_steps, training_arguments

RUN = Path("runs/uji")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_train_epochs", 3),
        ("per_device_train_batch_size", 8),  # 2 conversations x 4 accumulated: a step arrives whole
        ("gradient_accumulation_steps", 1),
        ("learning_rate", 2e-5),
        ("weight_decay", 0.01),
        ("warmup_steps", 100),
        ("label_smoothing_factor", 0.1),
        ("gradient_checkpointing", True),
        ("save_steps", 500),
        ("logging_steps", 100),
        ("fp16", False),
    ],
)
def test_the_reference_settings_are_the_trainers(name: str, value: object) -> None:
    assert getattr(training_arguments(resolved(), CPU, RUN), name) == value


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_fp16_is_on_with_cuda() -> None:
    device = Device("cuda", "GPU", 1, torch.float16, "fp16")
    assert training_arguments(resolved(device=device), device, RUN).fp16


def test_settings_are_passed_on() -> None:
    config = resolved("training.learning_rate=0.5", "training.lr_scheduler_type=cosine", "seed=9")
    arguments = training_arguments(config, CPU, RUN)
    assert (arguments.learning_rate, arguments.lr_scheduler_type, arguments.seed) == (0.5, "cosine", 9)


@pytest.mark.parametrize(("examples", "steps"), [(8, 3), (9, 6), (80, 30), (1, 3)])
def test_a_run_has_so_many_steps(examples: int, steps: int) -> None:
    assert optimizer_steps(training_arguments(resolved(), CPU, RUN), examples) == steps


class MemoryForTokens:
    """A memory in which so many tokens fit at once."""

    def __init__(self, patch: pytest.MonkeyPatch, tokens: int) -> None:
        self.most_seen = 0
        within = SupervisedLoss.__call__

        def limited(loss: SupervisedLoss, model: torch.nn.Module, batch: Batch) -> Any:
            if batch["input_ids"].numel() > tokens:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            self.most_seen = max(self.most_seen, batch["input_ids"].numel())
            return within(loss, model, batch)

        patch.setattr(SupervisedLoss, "__call__", limited)


TWO_STEPS = ("training.max_steps=2", "training.gradient_accumulation_steps=8", "lora.lora_dropout=0")


@pytest.mark.slow
def test_when_memory_runs_out_micro_batches_are_halved_and_the_result_is_the_same(
    short_config: Callable[..., RunConfig], console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roomy = train(short_config(*TWO_STEPS, output=tmp_path / "roomy"), console)
    memory = MemoryForTokens(monkeypatch, 300)
    tight = train(short_config(*TWO_STEPS, "training.tokens_per_micro_batch=900", output=tmp_path / "tight"), console)
    assert 0 < memory.most_seen <= 300
    assert printed(console).count("Out of memory: from here on") in (1, 2)
    for name, weight in load_file(roomy.folder / "adapter_model.safetensors").items():
        torch.testing.assert_close(load_file(tight.folder / "adapter_model.safetensors")[name], weight)


def test_when_not_even_one_conversation_fits_the_error_says_what_to_try(
    short_config: Callable[..., RunConfig], console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    MemoryForTokens(monkeypatch, 20)
    with pytest.raises(TrainingError, match="Not even one conversation") as caught:
        train(short_config(*TWO_STEPS), console)
    assert "tokens.max_length" in caught.value.how


@pytest.mark.slow
@pytest.mark.skipif(detect_device("best").mixed_precision != "bf16", reason="this machine has no bf16 arithmetic")
def test_in_bf16_the_losses_are_those_of_float32_to_its_precision(
    short_config: Callable[..., RunConfig], console: Console, tmp_path: Path
) -> None:
    exact = train(short_config("training.max_steps=4", output=tmp_path / "float32"), console)
    bf16 = "training.mixed_precision=bf16"
    half = train(short_config("training.max_steps=4", bf16, output=tmp_path / "bf16"), console)
    assert half.losses == pytest.approx(exact.losses, rel=0.01)
    weights = load_file(half.folder / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
