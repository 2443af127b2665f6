"""The bases that Koki knows by name beside Qwen2.5's: their published shapes, with weights drawn at random.

Nothing of them was downloaded. Where the numbers come from:

0.6b, 1.7b   the configurations that Qwen publishes, as other projects quote them.
sailor2-1b   a Qwen2 of the widths of Qwen2.5-0.5B, which it was grown from, and reads 4,096 tokens. That it has 48
             layers and a head of its own follows from the size of its published weights, 1.98 GB in bfloat16; its
             configuration itself was not at hand.

Their chat templates are written anew here; they do what the published ones do with system prompt, turns and thoughts.
"""

from pathlib import Path
from typing import Any, Final

import torch
from transformers import AutoModelForCausalLM, PretrainedConfig, Qwen2Config, Qwen3Config

from koki.config import ModelConfig
from koki.model.source import find_base, load_tokenizer

_QWEN3: Final = {
    "vocab_size": 151_936,
    "num_hidden_layers": 28,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "max_position_embeddings": 40_960,
    "max_window_layers": 28,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1_000_000.0},
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": True,
}
_SETTINGS: Final[dict[str, tuple[type[PretrainedConfig], dict[str, Any]]]] = {
    "0.6b": (Qwen3Config, _QWEN3 | {"hidden_size": 1024, "intermediate_size": 3072}),
    "1.7b": (Qwen3Config, _QWEN3 | {"hidden_size": 2048, "intermediate_size": 6144}),
    "sailor2-1b": (
        Qwen2Config,
        {
            "vocab_size": 151_936,
            "hidden_size": 896,
            "intermediate_size": 4864,
            "num_hidden_layers": 48,
            "num_attention_heads": 14,
            "num_key_value_heads": 2,
            "max_position_embeddings": 4096,
            "max_window_layers": 48,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1_000_000.0},
            "rms_norm_eps": 1e-6,
            "tie_word_embeddings": False,
        },
    ),
}
NAMES: Final = tuple(_SETTINGS)

DEFAULT_PROMPT: Final = "Kamu asisten bernama Layar."
# With a system prompt of its own for conversations that bring none, as Sailor2's.
_SAILOR2_TEMPLATE: Final = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n" + DEFAULT_PROMPT + "<|im_end|>\n' }}{% endif %}"
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# The answer behind the last question starts with thoughts, which are empty where nobody wants any, as Qwen3's.
_QWEN3_TEMPLATE: Final = (
    "{% set seen = namespace(asked=0) %}"
    "{% for m in messages %}{% if m.role == 'user' %}{% set seen.asked = loop.index0 %}{% endif %}{% endfor %}"
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}"
    "{% if m.role == 'assistant' and loop.index0 > seen.asked %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
    "{{ m.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
    "{% endif %}"
)


def published(name: str, **settings: Any) -> PretrainedConfig:
    """The configuration of a base, but for what is said."""
    kind, shape = _SETTINGS[name]
    return kind(**(shape | settings))


def draw(config: PretrainedConfig, scale: float = 0.02) -> Any:
    """A model with weights drawn at random: the same numbers over and over, which takes a tenth of the time.

    A layer's norms are 1, as before training.
    """
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config)
    model.to_empty(device="cpu")
    model.model.rotary_emb = type(model.model.rotary_emb)(config)  # its frequencies are no weights
    drawn = scale * torch.randn(999_983, generator=torch.Generator().manual_seed(0))  # a prime: no two rows are alike
    with torch.no_grad():
        for place, (name, weight) in enumerate(model.named_parameters()):
            numbers = torch.ones_like(drawn) if "norm" in name else drawn.roll(7919 * place)
            for piece in weight.view(-1).split(len(drawn)):
                piece.copy_(numbers[: len(piece)])
    model.tie_weights()
    return model


def write_base(name: str, folder: Path, **settings: Any) -> Path:
    """A folder with the configuration and the chat template of a base, and the vocabulary of the base that ships.

    Qwen3's has the tokens in which it thinks too, which transformers does not call special.
    """
    tokenizer = load_tokenizer(find_base(ModelConfig(name="mini")).location)
    if name != "sailor2-1b":
        tokenizer.add_tokens(["<think>", "</think>"])
    tokenizer.chat_template = _SAILOR2_TEMPLATE if name == "sailor2-1b" else _QWEN3_TEMPLATE
    tokenizer.save_pretrained(str(folder))
    published(name, **settings).save_pretrained(str(folder))
    return folder
