"""Attention for rows in which several examples stand one after the other: each sees itself alone."""

from typing import Any

import torch
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

SEGMENTED = "koki_segmented"


def use_segmented_attention(model: PreTrainedModel) -> None:
    """Let the model take ``segment_lengths``: how many tokens each example of a row has.

    Without that argument it attends as before, through torch's SDPA.
    """
    ALL_ATTENTION_FUNCTIONS.register(SEGMENTED, _segmented_attention)
    ALL_MASK_ATTENTION_FUNCTIONS.register(SEGMENTED, _mask)
    model.set_attn_implementation(SEGMENTED)


def _segmented_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    segment_lengths: list[int] | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each segment.

    Segment by segment rather than under a mask: the mask would cost a square of the row and torch's CPU kernel is
    several times slower with one.

    Args:
        query: (1, heads, tokens, width); key and value may have fewer heads.

    Returns:
        (1, tokens, heads, width), as transformers expects it.
    """
    if segment_lengths is None:
        output: tuple[torch.Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **options)
        return output
    groups = query.shape[1] // key.shape[1]
    segments = (
        states.split(segment_lengths, dim=2) for states in (query, repeat_kv(key, groups), repeat_kv(value, groups))
    )
    parts = [
        functional.scaled_dot_product_attention(
            q, k, v, dropout_p=options.get("dropout", 0.0), scale=options.get("scaling"), is_causal=True
        )
        for q, k, v in zip(*segments, strict=True)
    ]
    return torch.cat(parts, dim=2).transpose(1, 2).contiguous(), None


def _mask(attention_mask: torch.Tensor | None = None, **options: Any) -> torch.Tensor | None:
    """No mask for rows without padding, which have segments; SDPA's own otherwise (batched generation)."""
    if attention_mask is None:
        return None
    mask: torch.Tensor | None = sdpa_mask(attention_mask=attention_mask, **options)
    return mask
