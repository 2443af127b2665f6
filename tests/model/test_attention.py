"""Each segment of a row attends to itself alone."""

import pytest
import torch
from torch.nn import functional

from koki.model.attention import _segmented_attention

LENGTHS = [5, 1, 70, 33]


def attended(states: list[torch.Tensor], lengths: list[int] | None = None) -> list[torch.Tensor]:
    """The output, (1, tokens, heads, width), and the gradients of queries, keys and values."""
    inputs = [one.clone().requires_grad_() for one in states]
    if lengths is not None:
        q, k, v = inputs
        output, _ = _segmented_attention(torch.nn.Module(), q, k, v, None, segment_lengths=lengths, scaling=0.2)
    else:
        pieces = zip(*(one.split(LENGTHS, dim=2) for one in inputs), strict=True)
        alone = [
            functional.scaled_dot_product_attention(q, k, v, scale=0.2, is_causal=True, enable_gqa=True)
            for q, k, v in pieces
        ]
        output = torch.cat(alone, dim=2).transpose(1, 2)
    return [output, *torch.autograd.grad((output.float() ** 2).sum(), inputs)]


@pytest.fixture
def states() -> list[torch.Tensor]:
    """Four heads of queries, two of keys and values, 32 wide."""
    torch.manual_seed(0)
    return [torch.randn(1, heads, sum(LENGTHS), 32) for heads in (4, 2, 2)]


def test_a_segment_attends_as_if_it_were_alone(states: list[torch.Tensor]) -> None:
    for ours, alone in zip(attended(states, LENGTHS), attended(states), strict=True):
        torch.testing.assert_close(ours, alone)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_on_a_gpu_it_does_too(states: list[torch.Tensor], dtype: torch.dtype) -> None:
    there = [one.to("cuda", dtype) for one in states]
    for ours, alone in zip(attended(there, LENGTHS), attended([one.cpu().float() for one in there]), strict=True):
        assert ours.dtype == dtype
        assert (ours.cpu() - alone).norm() <= 0.02 * alone.norm()
