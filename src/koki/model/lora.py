"""The LoRA adapter: new or loaded, put on a base exactly once, and saved."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from peft import LoraConfig as PeftLoraConfig
from peft import PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from pydantic import ValidationError
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import PreTrainedModel

from koki import files
from koki.config import LoraConfig, reason_of
from koki.errors import CheckpointError, KokiError, ModelError
from koki.language import _
from koki.model.names import SETTINGS, WEIGHTS
from koki.model.source import BaseSource

_LONGEST_SETTINGS: Final = 1_000_000  # bytes; peft's have about 1,200
# What is written beside the adapter that does not decide what it computes.
_NOTES: Final = ("auto_mapping", "base_model_name_or_path", "inference_mode", "peft_version", "revision")
_NAMED_IN_AN_ERROR: Final = 3

Shapes = dict[str, tuple[int, ...]]
"""Names of tensors, with their shapes."""


def add_adapter(base: PreTrainedModel, config: LoraConfig, *, trainable: bool = True) -> PeftModel:
    """Put a new adapter on ``base``, whose output it does not change before it is trained.

    Raises:
        ModelError: a target module that the model does not have.
    """
    _require_targets(base, config)
    model = get_peft_model(base, _peft_config(config, trainable=trainable))
    assert isinstance(model, PeftModel)
    return model


def load_adapter(base: PreTrainedModel, folder: Path, *, trainable: bool) -> PeftModel:
    """Put the adapter in ``folder`` on ``base``: one as Koki makes them, all of it, and nothing else.

    Left to itself, peft makes new weights for what it does not find, and passes over what it does not know: the base
    would answer, as if it had been trained.

    Raises:
        CheckpointError: the adapter is damaged, incomplete, of another kind, or belongs to another base.
    """
    try:
        config = read_settings(folder / SETTINGS)
        there = _shapes_in(folder / WEIGHTS)
        if any(shape[0] != config.r for name, shape in there.items() if ".lora_A." in name):
            raise ValueError(
                _(
                    "{settings} says that its rank is {r}, which is not that of its weights",
                    settings=SETTINGS,
                    r=config.r,
                )
            )
        model = add_adapter(base, config, trainable=trainable)
        ours = get_peft_model_state_dict(model, save_embedding_layers=False)
        require_same(there, {name: tuple(tensor.shape) for name, tensor in ours.items()})
        set_peft_model_state_dict(model, load_file(folder / WEIGHTS))
        model.train(trainable)  # a new adapter is in training mode, whatever its base is in
    except Exception as error:  # in a tampered folder, the libraries raise whatever they run into
        why = error.what if isinstance(error, KokiError) else str(error)
        raise CheckpointError(
            _("The adapter in {folder} does not fit the base model: {why}", folder=folder, why=why),
            _("Is the folder complete, as it was saved?"),
        ) from error
    return model


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


def _peft_config(config: LoraConfig, *, trainable: bool = True) -> PeftLoraConfig:
    return PeftLoraConfig(
        r=config.r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        bias=config.bias,
        target_modules=list(config.target_modules),
        task_type="CAUSAL_LM",
        inference_mode=not trainable,
    )


def read_settings(file: Path) -> LoraConfig:
    """The settings that Koki has for an adapter; all others must be as Koki leaves them.

    Raises:
        OSError, ValueError: they cannot be read, or are others.
    """
    settings = json.loads(files.read_bytes(file, _LONGEST_SETTINGS))
    if not isinstance(settings, dict):
        raise ValueError(_("{file} holds no settings", file=file.name))
    try:
        config = LoraConfig.model_validate({name: settings.get(name) for name in LoraConfig.model_fields})
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(
            _(
                "in {file} {name} is {value!r:.80}: {reason}",
                file=file.name,
                name=first["loc"][0],
                value=first["input"],
                reason=reason_of(first),
            )
        ) from None
    left_alone = _peft_config(config).to_dict()
    for name, value in settings.items():
        if name not in (*LoraConfig.model_fields, *_NOTES) and (value or None) != (left_alone.get(name) or None):
            raise ValueError(
                _(
                    "in {file} {name} is {value!r:.80}, which is not of Koki's making",
                    file=file.name,
                    name=name,
                    value=value,
                )
            )
    return config


def _shapes_in(file: Path) -> Shapes:
    """The names of a file's tensors and their shapes; the tensors are not read."""
    if not file.is_file():
        raise FileNotFoundError(_("{file} is not there", file=file.name))
    with safe_open(file, "pt") as weights:
        return {name: tuple(weights.get_slice(name).get_shape()) for name in weights.keys()}  # noqa: SIM118


def require_same(there: Shapes, ours: Shapes) -> None:
    """Check that a file has the tensors of an adapter on this base.

    Raises:
        ValueError: it has not; names the first few.
    """
    if missing := sorted(ours.keys() - there.keys()):
        raise ValueError(_("{weights} lacks {names}", weights=WEIGHTS, names=_few(missing)))
    if unknown := sorted(there.keys() - ours.keys()):
        raise ValueError(_("{weights} has {names}, which the model has not", weights=WEIGHTS, names=_few(unknown)))
    if other := [
        _("{name} {found} instead of {expected}", name=name, found=there[name], expected=ours[name])
        for name in sorted(ours)
        if there[name] != ours[name]
    ]:
        raise ValueError(_("in {weights} {names}", weights=WEIGHTS, names=_few(other)))


def _few(names: list[str]) -> str:
    more, listed = len(names) - _NAMED_IN_AN_ERROR, ", ".join(names[:_NAMED_IN_AN_ERROR])
    return _("{listed} and {more:,} more", listed=listed, more=more) if more > 0 else listed


def _require_targets(base: PreTrainedModel, config: LoraConfig) -> None:
    present = {name.rpartition(".")[2] for name, _ in base.named_modules()}
    if missing := [name for name in config.target_modules if name not in present]:
        raise ModelError(
            _("lora.target_modules names {missing}, which the model does not have.", missing=", ".join(missing)),
            _("Qwen2 and Qwen3 have q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj and down_proj."),
        )
