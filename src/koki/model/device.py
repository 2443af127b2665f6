"""The device of this machine, and the precisions that follow from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import torch

from koki.errors import ConfigError
from koki.language import N_, _, retold

Precision = Literal["no", "fp16", "bf16"]


@dataclass(frozen=True, slots=True)
class Device:
    """The device that holds the model, the dtype of its frozen weights, and the precision of training.

    Attributes:
        kind: torch's device type.
        name: for people to read.
        count: devices of this kind.
        dtype: of the frozen base; the adapter is always float32.
        mixed_precision: of the training arithmetic.
    """

    kind: Literal["cuda", "mps", "cpu"]
    name: str
    count: int
    dtype: torch.dtype
    mixed_precision: Precision

    def describe(self) -> str:
        """One line: the device and what follows from it."""
        precision = {"no": "fp16 off", "fp16": "fp16 on, with loss scaling", "bf16": "bf16 on"}[self.mixed_precision]
        many = f"{self.count} x " if self.count > 1 else ""
        return f"{many}{self.name}: base in {str(self.dtype).removeprefix('torch.')}, {precision}"


_DESCRIBED: Final = (
    N_("{device}: base in {dtype}, {precision}"),
    N_("CPU, {count} thread"),
    N_("CPU, {count} threads"),
    N_("fp16 off"),
    N_("fp16 on, with loss scaling"),
    N_("bf16 on"),
)


def in_words(described: str) -> str:
    """What is recorded of a device, its name or all of `Device.describe`, in the chosen language."""
    return retold(described, *_DESCRIBED)


def detect_device(mixed_precision: Literal["auto", "best", "no", "fp16", "bf16"], processes: int = 1) -> Device:
    """The best device of this machine: CUDA, else MPS, else CPU.

    Args:
        mixed_precision: ``auto`` is fp16 on CUDA, else float32; ``best`` is bf16 where CUDA or the processor has it,
            else as ``auto``.
        processes: how many train together. A single one takes all GPUs; of several, each takes one, and none MPS.

    Raises:
        ConfigError: a precision that this device cannot train in.
    """
    if torch.cuda.is_available():
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        ours: dict[str, Precision] = {"auto": "fp16", "best": "bf16" if has_bf16 else "fp16"}
        precision = ours.get(mixed_precision) or cast(Precision, mixed_precision)
        if precision == "bf16" and not has_bf16:
            raise ConfigError(
                _(
                    "training.mixed_precision is bf16, which {device} does not have.",
                    device=torch.cuda.get_device_name(),
                ),
                _("Use --set training.mixed_precision=fp16"),
            )
        dtype = {"no": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision]
        count = torch.cuda.device_count() if processes == 1 else 1
        return Device("cuda", torch.cuda.get_device_name(), count, dtype, precision)
    if mixed_precision == "fp16":
        raise _no_such_precision(mixed_precision, _("needs CUDA; there is none here"))
    if torch.backends.mps.is_available() and processes == 1:
        if mixed_precision == "bf16":
            raise _no_such_precision(mixed_precision, _("Koki does not train in on an Apple GPU"))
        return Device("mps", "Apple GPU (MPS)", 1, torch.float32, "no")
    threads = torch.get_num_threads()
    name = f"CPU, {threads} {'thread' if threads == 1 else 'threads'}"
    if mixed_precision in ("best", "bf16") and _processor_has_bf16():
        return Device("cpu", name, 1, torch.bfloat16, "bf16")
    if mixed_precision == "bf16":
        slow = _("this processor can only imitate, ten times slower than float32")
        raise _no_such_precision(mixed_precision, slow)
    return Device("cpu", name, 1, torch.float32, "no")


def _processor_has_bf16() -> bool:
    # older versions of torch cannot say
    capabilities: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _no_such_precision(precision: str, why: str) -> ConfigError:
    return ConfigError(
        _("training.mixed_precision is {precision}, which {why}.", precision=precision, why=why),
        _("Leave it at auto: float32 is used on this machine."),
    )
