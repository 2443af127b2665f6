"""A base that does not fit one device, spread over the processes with FSDP2."""

from typing import Any, cast

import torch
from peft import PeftModel
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from koki.errors import ConfigError
from koki.language import _


def shard_base(model: PeftModel, device: str) -> None:
    """Leave each process a part of the frozen base; the rest of a layer is gathered while the layer computes.

    The adapter is small and stays whole in every process. So its gradients, its optimizer and its checkpoints are
    those of any other run, and whatever number of processes goes on from them.

    Args:
        device: torch's type of device, where the parts are put.

    Raises:
        ConfigError: the base is quantised.
    """
    if not all(parameter.is_floating_point() for parameter in model.parameters()):
        raise ConfigError(
            _("A quantised base cannot be spread over processes."),
            _("Leave model.quantization at null, or do without ACCELERATE_USE_FSDP (accelerate launch --use_fsdp)."),
        )
    mesh = init_device_mesh(device, (distributed.get_world_size(),))
    adapter = {parameter for parameter in model.parameters() if parameter.requires_grad}
    for module in model.modules():
        if isinstance(module, nn.ModuleList):
            for layer in module:
                fully_shard(layer, mesh=mesh, ignored_params=adapter)
    fully_shard(model, mesh=mesh, ignored_params=adapter)
    # generating does not call the forward that gathers what is outside the layers, and what is gathered for the first
    # time in inference mode could not be trained with; transformers keeps all at it until the last answer has ended
    register_fsdp_forward_method(model, "generate")
    cast(Any, model).generate = torch.inference_mode(False)(model.generate)


def is_sharded(model: nn.Module) -> bool:
    """Whether `shard_base` was here."""
    return any(isinstance(parameter, DTensor) for parameter in model.parameters())


def reshard(model: nn.Module) -> None:
    """Drop what a forward pass without a backward pass has gathered.

    Saving drops it too, but only in the process that saves.
    """
    if isinstance(model, FSDPModule):
        model.reshard()


def exclude_frozen_from_ddp(model: nn.Module) -> None:
    """Keep DDP from sending the frozen base, the same in every process, to all of them as it starts."""
    frozen = [name for name, parameter in model.named_parameters() if not parameter.requires_grad]
    buffers = [name for name, _ in model.named_buffers()]
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(model, [*frozen, *buffers])
