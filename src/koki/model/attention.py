"""Attention for rows in which several examples stand one after the other: each attends to itself alone."""

import inspect
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final, cast

import torch
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

_SEGMENTED: Final = "koki_segmented"


def use_segmented_attention(model: PreTrainedModel) -> None:
    """Let the model take ``segment_lengths``: how many tokens each example of a row has.

    Without that argument it attends as before, through torch's SDPA.
    """
    ALL_ATTENTION_FUNCTIONS.register(_SEGMENTED, _segmented_attention)
    ALL_MASK_ATTENTION_FUNCTIONS.register(_SEGMENTED, _mask)
    model.set_attn_implementation(_SEGMENTED)


def _segmented_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    segment_lengths: list[int] | None = None,
    sliding_window: int | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each segment.

    It is one call where torch has a kernel that knows segments; else one for each segment rather than one under a
    mask: a mask takes memory that grows with the square of the row, and torch's CPU kernel is several times slower
    with one.

    Args:
        query: (1, heads, tokens, width); key and value may have fewer heads.
        sliding_window: of the layer; how many tokens one attends to, itself included. None is all before it.

    Returns:
        (1, tokens, heads, width), as transformers expects it.
    """
    if segment_lengths is None:
        output: tuple[torch.Tensor, None] = sdpa_attention_forward(  # the window is in the mask
            module, query, key, value, attention_mask, **options
        )
        return output
    groups = query.shape[1] // key.shape[1]
    key, value = repeat_kv(key, groups), repeat_kv(value, groups)
    if not options.get("dropout") and _has_varlen(query.device, query.dtype):
        return _varlen(query, key, value, tuple(segment_lengths), options.get("scaling"), sliding_window), None
    segments = (states.split(segment_lengths, dim=2) for states in (query, key, value))
    parts = [
        functional.scaled_dot_product_attention(
            q,
            k,
            v,
            dropout_p=options.get("dropout", 0.0),
            scale=options.get("scaling"),
            **_causal(q.shape[2], sliding_window, q.device),
        )
        for q, k, v in zip(*segments, strict=True)
    ]
    return torch.cat(parts, dim=2).transpose(1, 2).contiguous(), None


def _causal(length: int, window: int | None, device: torch.device) -> dict[str, Any]:
    """SDPA's arguments for causal attention; a mask only where the window is shorter than the segment."""
    return {"is_causal": True} if window is None or length <= window else {"attn_mask": _band(length, window, device)}


@lru_cache(maxsize=8)
def _band(length: int, window: int, device: torch.device) -> torch.Tensor:
    """Whether a token attends to another, as (length, length); the layers of a row share it."""
    places = torch.arange(length, device=device)
    before = places[:, None] - places
    return (before >= 0) & (before < window)


@lru_cache
def _has_varlen(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether the GPU (Ampere or newer) and torch have FlashAttention for segments."""
    if device.type != "cuda" or dtype == torch.float32 or torch.cuda.get_device_capability(device) < (8, 0):
        return False
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return False
    return {"scale", "window_size"} <= inspect.signature(varlen_attn).parameters.keys()


def _varlen(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    lengths: tuple[int, ...],
    scale: float | None,
    window: int | None,
) -> torch.Tensor:
    from torch.nn.attention.varlen import varlen_attn

    starts, longest = _starts(lengths, query.device), max(lengths)
    q, k, v = (states[0].transpose(0, 1) for states in (query, key, value))
    before = -1 if window is None else window - 1
    output = varlen_attn(q, k, v, starts, starts, longest, longest, scale=scale, window_size=(before, 0))
    return cast(torch.Tensor, output)[None]


@lru_cache(maxsize=1)
def _starts(lengths: tuple[int, ...], device: torch.device) -> torch.Tensor:
    """Where each segment starts, and where the last one ends, as (segments + 1,); all layers of a row share it."""
    return torch.tensor([0, *accumulate(lengths)], dtype=torch.int32, device=device)


def _mask(attention_mask: torch.Tensor | None = None, **options: Any) -> torch.Tensor | None:
    """No mask for rows without padding, which have segments; SDPA's own otherwise (batched generation)."""
    if attention_mask is None:
        return None
    mask: torch.Tensor | None = sdpa_mask(attention_mask=attention_mask, **options)
    return mask
