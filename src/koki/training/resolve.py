"""What a configuration leaves open is decided once, by model and machine, before anything is loaded."""

from typing import Final

from koki.config import ResolvedConfig, RunConfig
from koki.model.device import Device
from koki.training.costs import Shape, longest_micro_batch, peak_memory
from koki.training.processes import ALONE, Processes
from koki.training.speed import all_memory, free_memory

# A run may take so much of what is free: the rest is for what else the machine does.
_SHARE_OF_FREE: Final = 0.8
# As much of a GPU's memory goes to a run whose micro-batches may be as long as fit.
_SHARE_OF_GPU: Final = 0.7


def resolve(config: RunConfig, shape: Shape, device: Device, processes: Processes = ALONE) -> ResolvedConfig:
    """Decide what the configuration leaves open: precision, checkpointing and the tokens of a micro-batch.

    All processes of a run decide alike: where memory is short for one, all keep fewer activations.
    """
    checkpointing = any(processes.all_gather(_checkpointing(config, shape, device)))
    decided = {
        "mixed_precision": device.mixed_precision,
        "gradient_checkpointing": checkpointing,
        "tokens_per_micro_batch": _tokens_per_micro_batch(config, shape, device, checkpointing=checkpointing),
    }
    settings = config.model_dump()
    return ResolvedConfig.model_validate(settings | {"training": settings["training"] | decided})


def _checkpointing(config: RunConfig, shape: Shape, device: Device) -> bool:
    """The setting; where it is ``auto``, whether activations would not fit otherwise."""
    setting = config.training.gradient_checkpointing
    if setting != "auto":
        return setting
    tokens = longest_micro_batch(config, config.training.tokens_per_micro_batch or _reference_tokens(config))
    return peak_memory(config, shape, device, tokens, checkpointing=False) > _SHARE_OF_FREE * free_memory(device)


def _tokens_per_micro_batch(config: RunConfig, shape: Shape, device: Device, *, checkpointing: bool) -> int:
    """The setting; where it is null the reference micro-batch, and on a GPU as much of a step as fits.

    A step that may be cut anywhere is faster in fewer pieces, and has the same gradients. A GPU takes a whole step, or
    half of it, and so on, but never less than the reference micro-batch. What memory it has decides, not what is free
    of it: so the decision is the same when a run goes on.
    """
    if config.training.tokens_per_micro_batch is not None:
        return config.training.tokens_per_micro_batch
    reference = _reference_tokens(config)
    if device.kind != "cuda":
        return reference

    def fits(tokens: int) -> bool:
        longest = longest_micro_batch(config, tokens)
        return peak_memory(config, shape, device, longest, checkpointing=checkpointing) <= _SHARE_OF_GPU * all_memory()

    tokens = reference * config.training.gradient_accumulation_steps
    while tokens > reference and not fits(tokens):
        tokens //= 2
    return max(tokens, reference)


def _reference_tokens(config: RunConfig) -> int:
    """Tokens of a micro-batch of the reference settings at its longest."""
    return config.training.per_device_train_batch_size * config.tokens.max_length
