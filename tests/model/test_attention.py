"""Each segment of a row attends to itself alone."""

from typing import Any

import pytest
import torch
from torch.nn import functional
from transformers import Qwen2Config, Qwen2ForCausalLM
from transformers.models.qwen3.configuration_qwen3 import Qwen3Config
from transformers.models.qwen3.modeling_qwen3 import Qwen3ForCausalLM

from koki.model.attention import _segmented_attention, use_segmented_attention

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


WINDOWED: Any = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "use_sliding_window": True,
    "sliding_window": 7,
    "max_window_layers": 1,
}


def make_windowed(family: str) -> Any:
    """A small model of which the second and the third layer see seven tokens."""
    torch.manual_seed(0)
    if family == "qwen2":
        return Qwen2ForCausalLM(Qwen2Config(**WINDOWED))
    return Qwen3ForCausalLM(Qwen3Config(**WINDOWED))


@pytest.mark.parametrize("family", ["qwen2", "qwen3"])
def test_a_sliding_window_shorter_than_a_segment_trains_as_transformers_itself_would(family: str) -> None:
    stock, ours = make_windowed(family), make_windowed(family)
    use_segmented_attention(ours)
    assert ours.config.layer_types == ["full_attention", "sliding_attention", "sliding_attention"]
    ids = torch.randint(97, (1, sum(LENGTHS)))
    positions = torch.cat([torch.arange(length) for length in LENGTHS])[None]
    row = ours(ids, position_ids=positions, segment_lengths=LENGTHS, use_cache=False).logits
    alone = torch.cat([stock(piece, use_cache=False).logits for piece in ids.split(LENGTHS, dim=1)], dim=1)
    torch.testing.assert_close(row, alone)
    for logits in (row, alone):
        logits.square().mean().backward()
    for (name, p), q in zip(ours.named_parameters(), stock.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-4, atol=1e-7, msg=name)


def test_a_sliding_window_answers_the_same_whichever_attention_the_model_has() -> None:
    stock, ours = make_windowed("qwen2").eval(), make_windowed("qwen2").eval()
    use_segmented_attention(ours)
    ids = torch.randint(97, (2, 30))
    mask = torch.ones_like(ids)
    mask[1, :5] = 0
    options = {"attention_mask": mask, "max_new_tokens": 10, "do_sample": False, "pad_token_id": 0}
    assert ours.generate(ids, **options).tolist() == stock.generate(ids, **options).tolist()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_on_a_gpu_it_does_too(states: list[torch.Tensor], dtype: torch.dtype) -> None:
    there = [one.to("cuda", dtype) for one in states]
    for ours, alone in zip(attended(there, LENGTHS), attended([one.cpu().float() for one in there]), strict=True):
        assert ours.dtype == dtype
        assert (ours.cpu() - alone).norm() <= 0.02 * alone.norm()
