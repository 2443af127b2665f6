"""The LoRA adapter: new or loaded, put on a base exactly once, and saved."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from peft import LoraConfig as PeftLoraConfig
from peft import PeftModel, get_peft_model
from transformers import PreTrainedModel

from koki.config import LoraConfig
from koki.errors import CheckpointError, ModelError
from koki.model.source import BaseSource


def add_adapter(base: PreTrainedModel, config: LoraConfig) -> PeftModel:
    """Put a new adapter on ``base``, whose output it does not change before it is trained.

    Raises:
        ModelError: a target module that the model does not have.
    """
    adapter = PeftLoraConfig(
        r=config.r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        bias=config.bias,
        target_modules=list(config.target_modules),
        task_type="CAUSAL_LM",
    )
    _require_targets(base, config)
    model = get_peft_model(base, adapter)
    assert isinstance(model, PeftModel)
    return model


def load_adapter(base: PreTrainedModel, folder: Path, *, trainable: bool) -> PeftModel:
    """Put the adapter in ``folder`` on ``base``.

    Raises:
        CheckpointError: the folder's adapter is damaged or belongs to another base.
    """
    try:
        return PeftModel.from_pretrained(base, folder, is_trainable=trainable)
    except Exception as error:  # in a tampered folder, the libraries raise whatever they run into
        raise CheckpointError(f"The adapter in {folder} does not fit the base model: {error}") from error


def name_base(model: PeftModel, source: BaseSource) -> None:
    """Have the adapter say where its base comes from when it is saved, so that peft by itself finds the same one."""
    for adapter in model.peft_config.values():
        adapter.base_model_name_or_path = source.location
        adapter.revision = source.hub.commit if source.hub else None


def save_adapter(model: PeftModel, folder: Path, weights: Mapping[str, Any] | None = None) -> None:
    """Write the adapter and its settings, without peft's form for a model card, which would be empty.

    Args:
        weights: those of the model, where they are gathered from several processes.

    Raises:
        OSError, RuntimeError, SafetensorError: it cannot be written (`koki.runs.checkpoints.WRITE_ERRORS`).
    """
    # no vocabulary is resized here; to see whether one was, peft would ask the hub at every save
    model.save_pretrained(str(folder), state_dict=weights, save_embedding_layers=False)
    (folder / "README.md").unlink()


def enable_input_gradients(model: PeftModel) -> None:
    """Let gradients flow through a frozen embedding: checkpointed blocks need an input that requires them."""
    model.enable_input_require_grads()


def trainable_parameters(model: PeftModel) -> tuple[int, int]:
    """The numbers of trainable parameters and of all."""
    trainable, everything = model.get_nb_trainable_parameters()
    return trainable, everything


def _require_targets(base: PreTrainedModel, config: LoraConfig) -> None:
    present = {name.rpartition(".")[2] for name, _ in base.named_modules()}
    if missing := [name for name in config.target_modules if name not in present]:
        raise ModelError(
            f"lora.target_modules names {', '.join(missing)}, which the model does not have.",
            "Qwen2 and Qwen3 have q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj and down_proj.",
        )
