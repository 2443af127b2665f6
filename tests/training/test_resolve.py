"""What a configuration leaves open is decided once; the rest stays as it was set."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_helpers import CPU, resolved, shape_of_mini

from koki.config import flatten, load_config, read_assignments
from koki.model.device import Device
from koki.training.resolve import resolve

DECIDED = {"training.mixed_precision", "training.gradient_checkpointing", "training.tokens_per_micro_batch"}

settings = st.fixed_dictionaries(
    {
        "training.gradient_checkpointing": st.sampled_from(["true", "false", "auto"]),
        "training.tokens_per_micro_batch": st.none() | st.integers(1, 10_000),
        "training.per_device_train_batch_size": st.integers(1, 64),
        "training.gradient_accumulation_steps": st.integers(1, 64),
        "tokens.max_length": st.integers(16, 4096),
    }
)


@given(settings)
def test_nothing_is_left_open_and_nothing_else_is_changed(chosen: dict[str, object]) -> None:
    assignments = [f"{name}={'null' if value is None else value}" for name, value in chosen.items()]
    asked = flatten(load_config(settings={"model.name": "mini"} | read_assignments(assignments)))
    config = resolved(*assignments)
    assert isinstance(config.training.gradient_checkpointing, bool)
    assert isinstance(config.training.tokens_per_micro_batch, int)
    assert config.training.mixed_precision in ("no", "fp16", "bf16")
    assert {name for name, value in flatten(config).items() if value != asked[name]} <= DECIDED


@given(settings)
def test_what_is_decided_stays_when_it_is_decided_again(chosen: dict[str, object]) -> None:
    once = resolved(*[f"{name}={'null' if value is None else value}" for name, value in chosen.items()])
    assert resolve(once, shape_of_mini(), CPU) == once


@pytest.mark.parametrize("precision", ["no", "fp16", "bf16"])
def test_the_precision_is_the_devices(precision: str) -> None:
    device = Device("cpu", "CPU", 1, torch.float32, precision)  # type: ignore[arg-type]
    assert resolved(device=device).training.mixed_precision == precision


def test_a_setting_that_was_made_is_kept() -> None:
    config = resolved("training.gradient_checkpointing=false", "training.tokens_per_micro_batch=77", device=CPU)
    assert config.training.gradient_checkpointing is False
    assert config.training.tokens_per_micro_batch == 77
