"""The base model's weights: loaded onto their device, prepared for training."""

import importlib.util
from typing import Any

import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel

from koki.config import ModelConfig
from koki.errors import ModelError
from koki.extras import how_to_install
from koki.language import _
from koki.model.attention import use_segmented_attention
from koki.model.device import Device
from koki.model.source import BaseSource, not_loadable


def load_base(source: BaseSource, config: ModelConfig, device: Device, *, share: bool = False) -> PreTrainedModel:
    """The base with its weights, on its device; spread over all GPUs when there is more than one.

    Args:
        share: leave it in the computer's memory, from which it is then sharded among processes.

    Raises:
        ModelError: weights missing or damaged, hub out of reach, or quantisation without CUDA or bitsandbytes.
    """
    options: dict[str, Any] = {
        "dtype": device.dtype,
        "use_safetensors": True,
        "trust_remote_code": False,  # left out, transformers would ask at the terminal
    }
    if config.quantization is not None:
        options["quantization_config"] = _quantization(config.quantization, device)
    if device.count > 1:
        options["device_map"] = "auto"
    elif device.kind != "cpu" and not share:
        # of several processes each has a GPU of its own, the current one
        options["device_map"] = {"": torch.cuda.current_device() if device.kind == "cuda" else device.kind}
    folder = source.hub.folder(weights=True) if source.hub else source.folder
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(folder, **options)
    except Exception as error:  # in a damaged or tampered folder, the libraries raise whatever they run into
        raise not_loadable(folder, error) from error
    return model


def prepare_for_training(model: PreTrainedModel, config: ModelConfig, *, gradient_checkpointing: bool) -> None:
    """Prepare a quantised base for training in few bits, and give any base the settings that training needs.

    The norms of a quantised base become float32 (peft's `prepare_model_for_kbit_training`); another keeps its dtype.
    The cache of keys and values, which serves generation only, is switched off. Attention is confined to each example
    of a row.
    """
    if config.quantization is not None:
        from peft import prepare_model_for_kbit_training

        prepare_model_for_kbit_training(model, use_gradient_checkpointing=gradient_checkpointing)
    model.config.use_cache = False
    use_segmented_attention(model)


def _quantization(kind: str, device: Device) -> BitsAndBytesConfig:
    if device.kind != "cuda":
        raise ModelError(
            _("model.quantization is {kind}, which needs a CUDA GPU; there is none here.", kind=kind),
            _("Leave model.quantization at null."),
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ModelError(
            _("model.quantization is {kind}, which needs bitsandbytes.", kind=kind), how_to_install("quantization")
        )
    if kind == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    # NF4 with double quantisation: QLoRA, Dettmers et al. 2023, section 3
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=device.dtype if device.dtype != torch.float32 else torch.float16,
    )
