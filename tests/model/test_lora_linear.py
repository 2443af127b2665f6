"""The fused branch is peft's LoRA: the same output, the same gradients, the same dropout in distribution."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from torch import nn

from koki.model import lora_linear
from koki.model.lora_linear import fuse_lora


def layer(dropout: float, *, seed: int = 0) -> Any:
    """LoRA on one linear layer of 24 to 40, with a B that is not zero."""
    torch.manual_seed(seed)
    model = get_peft_model(
        nn.Sequential(nn.Linear(24, 40)), LoraConfig(r=4, lora_alpha=8, lora_dropout=dropout, target_modules=["0"])
    )
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter)
    return model.train()


def outcome(model: Any, x: torch.Tensor) -> list[torch.Tensor]:
    """The output and every gradient, that of the input included."""
    x = x.clone().requires_grad_()
    output = model(x)
    weights = [p for p in model.parameters() if p.requires_grad]
    return [output, *torch.autograd.grad((output**2).sum(), [x, *weights])]


@pytest.mark.parametrize("shape", [(7, 24), (1, 7, 24), (2, 3, 24)])
def test_without_dropout_output_and_gradients_are_pefts(shape: tuple[int, ...]) -> None:
    x = torch.randn(shape)
    fused = layer(0.0)
    fuse_lora(fused)
    for ours, theirs in zip(outcome(fused, x), outcome(layer(0.0), x), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_over_a_bf16_base_the_adapters_gradients_are_float32_and_close_to_pefts() -> None:
    half = layer(0.0)
    half.base_model.model[0].base_layer.to(torch.bfloat16)
    fuse_lora(half)
    x = torch.randn(7, 24)
    for ours, theirs in zip(outcome(half, x.bfloat16())[2:], outcome(layer(0.0), x)[2:], strict=True):
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours, theirs, rtol=0.05, atol=0.05 * theirs.abs().max().item())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_on_a_gpu_in_half_precision_they_are_too(dtype: torch.dtype) -> None:
    half = layer(0.0).to("cuda")
    half.base_model.model[0].base_layer.to(dtype)
    fuse_lora(half)
    x = torch.randn(7, 24)
    with torch.autocast("cuda", dtype):
        found = outcome(half, x.to("cuda", dtype))[2:]
    for ours, theirs in zip(found, outcome(layer(0.0), x)[2:], strict=True):
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours.cpu(), theirs, rtol=0.05, atol=0.05 * theirs.abs().max().item())


@pytest.fixture(params=["places", "mask"])
def either_form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is dropped as on a CPU, and as elsewhere."""
    if request.param == "mask":
        monkeypatch.setattr(lora_linear, "_dropped", lora_linear._mask)


@pytest.mark.usefixtures("either_form")
def test_dropout_drops_its_share_and_scales_the_rest() -> None:
    model = get_peft_model(
        nn.Sequential(nn.Linear(1, 1)), LoraConfig(r=1, lora_alpha=1, lora_dropout=0.05, target_modules=["0"])
    )
    fuse_lora(model)
    for parameter in model.parameters():
        nn.init.ones_(parameter)
    torch.manual_seed(0)
    branch = model(torch.ones(100_000, 1)) - 2
    assert sorted(branch.unique().tolist()) == pytest.approx([0.0, 1 / 0.95], rel=1e-5)
    assert (branch == 0).float().mean().item() == pytest.approx(0.05, abs=0.003)  # four standard deviations


@given(count=st.integers(1, 500), p=st.floats(0.01, 0.9))
def test_dropped_places_ascend_and_lie_within(count: int, p: float) -> None:
    places = lora_linear._places(count, p).tolist()
    assert places == sorted(set(places))
    assert all(0 <= place < count for place in places)


@pytest.mark.slow
def test_every_place_is_dropped_equally_often_and_independently_of_its_neighbour() -> None:
    drawn = torch.zeros(20_000, 10)
    for row in drawn:
        row[lora_linear._places(10, 0.3)] = 1
    assert drawn.mean(dim=0).tolist() == pytest.approx([0.3] * 10, abs=0.016)  # five standard deviations
    assert (drawn[:, 1:] * drawn[:, :-1]).mean().item() == pytest.approx(0.09, abs=0.005)


@pytest.mark.usefixtures("either_form")
def test_with_dropout_the_gradient_goes_through_what_was_kept() -> None:
    model = layer(0.5)
    fuse_lora(model)
    x = torch.randn(9, 24)
    torch.manual_seed(1)
    output = model(x)
    step = 1e-2 * torch.randn_like(x)
    torch.manual_seed(1)  # the same mask: the branch is linear in x
    moved = model(x + step)
    weights = torch.randn_like(output)
    probe = x.clone().requires_grad_()
    torch.manual_seed(1)
    (gradient,) = torch.autograd.grad((model(probe) * weights).sum(), probe)
    torch.testing.assert_close((gradient * step).sum(), ((moved - output) * weights).sum(), rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("either_form")
def test_what_is_dropped_follows_from_torchs_random_state() -> None:
    model = layer(0.3)
    fuse_lora(model)
    x = torch.randn(5, 24)
    torch.manual_seed(3)
    first, second = model(x), model(x)
    torch.manual_seed(3)
    assert torch.equal(model(x), first)
    assert not torch.equal(first, second)


def test_in_evaluation_nothing_is_dropped() -> None:
    model = layer(0.5).eval()
    expected = model(torch.ones(3, 24))
    fuse_lora(model)
    torch.testing.assert_close(model(torch.ones(3, 24)), expected)


def test_a_disabled_adapter_leaves_the_base_alone() -> None:
    model = layer(0.0)
    fuse_lora(model)
    x = torch.randn(3, 24)
    with model.disable_adapter():
        torch.testing.assert_close(model(x), layer(0.0).get_base_model()[0].base_layer(x))


def test_it_keeps_one_copy_of_an_input_that_projections_share() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.q, self.k = nn.Linear(64, 8), nn.Linear(64, 8)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.Tensor(self.q(x) + self.k(x))

    def kept(fuse: bool) -> int:
        model = get_peft_model(Shared(), LoraConfig(r=2, lora_dropout=0.1, target_modules=["q", "k"])).train()
        if fuse:
            fuse_lora(model)
        storages: dict[int, int] = {}

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            output = model(torch.randn(256, 64, requires_grad=True))
        assert output.requires_grad
        return sum(storages.values())

    assert kept(fuse=True) < 0.5 * kept(fuse=False)
