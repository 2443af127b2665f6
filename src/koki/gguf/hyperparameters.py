"""The shape of a model, in llama.cpp's words."""

import math
from typing import Any, Final

from gguf import GGUFWriter, RopeScalingType
from transformers import PretrainedConfig

from koki.errors import ModelError
from koki.language import _

# YaRN's beta_fast and beta_slow, as the paper has them. llama.cpp has keys for others, but with a beta_slow of 2 it
# turns positions otherwise than transformers (xllamacpp 2026.10).
_BETAS: Final = (32, 1)


def add_hyperparameters(writer: GGUFWriter, config: PretrainedConfig) -> None:
    """Say how the tensors of a Qwen2 or Qwen3 model are put together.

    Raises:
        ModelError: its positions are turned in a way that llama.cpp does not know for these families.
    """
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(context_of(config))
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    _add_rope(writer, config.rope_parameters, head)


def context_of(config: PretrainedConfig) -> int:
    """Tokens that the model reads in llama.cpp: of one whose upper layers see a window, no more than that."""
    # within its window a layer sees all, and llama.cpp has no windows for these families
    context: int = config.max_position_embeddings
    return min(context, config.sliding_window or context)


def _add_rope(writer: GGUFWriter, rope: dict[str, Any], head: int) -> None:
    """How positions are turned (Su et al. 2021), and how that is stretched for longer contexts."""
    writer.add_rope_freq_base(rope["rope_theta"])
    writer.add_rope_dimension_count(int(head * rope.get("partial_rotary_factor", 1.0)))
    match rope.get("rope_type", "default"):
        case "default" | "dynamic":  # the latter stretches only what is longer than the model's context
            return
        case "linear":
            writer.add_rope_scaling_type(RopeScalingType.LINEAR)
            writer.add_rope_scaling_factor(rope["factor"])
        case "yarn" if (rope.get("beta_fast") or 32, rope.get("beta_slow") or 1) == _BETAS:
            _add_yarn(writer, rope)
        case other:
            raise ModelError(
                _(
                    "llama.cpp does not turn positions as this model does (rope_type {other} with its settings).",
                    other=other,
                ),
                _("Export whole weights instead: koki export merged"),
            )


def _add_yarn(writer: GGUFWriter, rope: dict[str, Any]) -> None:
    """YaRN (Peng et al. 2023), in transformers' names."""
    factor = rope["factor"]
    writer.add_rope_scaling_type(RopeScalingType.YARN)
    writer.add_rope_scaling_factor(factor)
    writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    if rope.get("attention_factor"):
        # llama.cpp multiplies it by what the paper advises (equation 22)
        writer.add_rope_scaling_attn_factors(rope["attention_factor"] / (0.1 * math.log(factor) + 1))
