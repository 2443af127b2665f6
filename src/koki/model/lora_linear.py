"""LoRA's branch of a linear layer as one autograd function: the same mathematics, fewer passes and copies.

For the backward pass of each of the seven projections peft keeps the input after dropout, and keeps it in float32, the
adapter's dtype, even over a base in half precision. Here the input itself is kept, which q, k and v (and gate and up)
share, and beside it what dropout drops; the scales are folded into the small matrix product.
"""

from functools import partial
from typing import Any, cast

import numpy as np
import torch
from peft.tuners.lora.layer import Linear
from torch import nn


def fuse_lora(model: nn.Module) -> None:
    """Replace the forward of every LoRA layer over a plain linear layer.

    Adapters that are merged, disabled or of another kind (DoRA) fall back to peft's own forward.
    """
    for module in model.modules():
        if type(module) is Linear and type(module.base_layer) is nn.Linear:
            vars(module)["forward"] = partial(_forward, module, module.forward)


def _forward(layer: Linear, fallback: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    if args or kwargs or layer.disable_adapters or layer.merged or layer.lora_variant or len(layer.active_adapters) > 1:
        return cast(torch.Tensor, fallback(x, *args, **kwargs))
    (name,) = layer.active_adapters
    dropout: Any = layer.lora_dropout[name]
    p = dropout.p if layer.training and isinstance(dropout, nn.Dropout) else 0.0
    a, b = cast(nn.Linear, layer.lora_A[name]).weight, cast(nn.Linear, layer.lora_B[name]).weight
    result: torch.Tensor = cast(Any, _LoraBranch).apply(layer.base_layer(x), x, a, b, layer.scaling[name], p)
    return result


class _LoraBranch(torch.autograd.Function):
    """base + scaling * dropout(x) A^T B^T, for base (..., out), x (..., in), A (r, in) and B (out, r)."""

    @staticmethod
    def forward(
        ctx: Any, base: torch.Tensor, x: torch.Tensor, a: torch.Tensor, b: torch.Tensor, scaling: float, p: float
    ) -> torch.Tensor:
        dropped = _dropped(x, p) if p else None
        scale = scaling / (1 - p)
        a, b = a.to(x.dtype), b.to(x.dtype)  # the adapter is float32, whatever the arithmetic
        inner = _without(x, dropped).flatten(0, -2) @ a.T
        ctx.save_for_backward(x, dropped, a, b, inner)
        ctx.scale = scale
        return torch.addmm(base.flatten(0, -2), inner, b.T, alpha=scale).view_as(base)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, dropped, a, b, inner = ctx.saved_tensors
        rows = grad.flatten(0, -2)
        b_grad = (rows.T @ inner).mul_(ctx.scale)
        inner_grad = (rows @ b).mul_(ctx.scale)
        a_grad = inner_grad.T @ _without(x, dropped).flatten(0, -2)
        x_grad = _without((inner_grad @ a).view_as(x), dropped) if ctx.needs_input_grad[1] else None
        return grad, x_grad, a_grad, b_grad, None, None


def _dropped(x: torch.Tensor, p: float) -> torch.Tensor:
    """The elements of ``x`` that dropout drops: a mask, or their places on a CPU.

    There, a mask takes an eighth of a training step.
    """
    return _places(x.numel(), p) if x.is_cpu else _mask(x, p)


def _without(x: torch.Tensor, dropped: torch.Tensor | None) -> torch.Tensor:
    """``x`` with zeros where it is dropped: under a mask, or at places of its flat form."""
    if dropped is None:
        return x
    if dropped.dtype == torch.bool:
        return x.masked_fill(dropped, 0.0)
    return x.flatten().clone().scatter_(0, dropped, 0.0).view_as(x)


def _mask(x: torch.Tensor, p: float) -> torch.Tensor:
    """True for each element with probability ``p``."""
    return torch.empty_like(x, dtype=torch.bool).bernoulli_(p)


def _places(count: int, p: float) -> torch.Tensor:
    """Which of ``count`` elements dropout drops, each with probability ``p``, in ascending order.

    Between dropped elements lie geometrically distributed gaps, so only the dropped ones cost a random number: a
    whole exponential variate of rate -log(1 - p) is geometric (Devroye 1986, section X.2). torch's generator seeds
    the draw, so it follows from the random state that checkpoints keep.
    """
    generator = np.random.Generator(np.random.SFC64(int(torch.randint(2**62, ()))))
    expected = round(count * p) + 1
    places = np.array([-1])
    while places[-1] < count:
        gaps = 1 + np.floor(generator.standard_exponential(expected + 4 * round(expected**0.5)) / -np.log1p(-p))
        places = np.concatenate([places, places[-1] + gaps.astype(np.int64).cumsum()])
    return torch.from_numpy(places[1 : np.searchsorted(places, count)])
