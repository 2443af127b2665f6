"""The mission's numbers reach transformers."""

from pathlib import Path

import pytest
import torch

from koki.config import RunConfig, load_config
from koki.model.device import Device
from koki.training.trainer import optimizer_steps, training_arguments

RUN = Path("runs/uji")
CPU = Device("cpu", "CPU", 1, torch.float32, "no")


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
def test_the_missions_numbers_are_the_trainers(name: str, value: object) -> None:
    assert getattr(training_arguments(RunConfig(), CPU, RUN), name) == value


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_fp16_is_on_with_cuda() -> None:
    device = Device("cuda", "GPU", 1, torch.float16, "fp16")
    assert training_arguments(RunConfig(), device, RUN).fp16


def test_settings_are_passed_on() -> None:
    config = load_config(assignments=["training.learning_rate=0.5", "training.lr_scheduler_type=cosine", "seed=9"])
    arguments = training_arguments(config, CPU, RUN)
    assert (arguments.learning_rate, arguments.lr_scheduler_type, arguments.seed) == (0.5, "cosine", 9)


@pytest.mark.parametrize(("examples", "steps"), [(8, 3), (9, 6), (80, 30), (1, 3)])
def test_a_run_has_so_many_steps(examples: int, steps: int) -> None:
    assert optimizer_steps(training_arguments(RunConfig(), CPU, RUN), examples) == steps
