"""What this machine has and does: free memory, and the speed of what a model spends its time on."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import psutil
import torch
from torch.nn import functional

from koki.model.device import Device

_ROWS: Final = 1024  # tokens in the two measurements


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast this machine computes.

    Attributes:
        multiplications: floating-point operations a second in a matrix product of the model's width.
        per_element: seconds that an elementwise function takes for one number.
    """

    multiplications: float
    per_element: float


def free_memory(device: Device) -> float:
    """Bytes that a process may take on the device now; on several GPUs, on all of them together."""
    if device.kind == "cuda":
        return float(sum(torch.cuda.mem_get_info(number)[0] for number in range(device.count)))
    return float(psutil.virtual_memory().available)


def all_memory() -> float:
    """Bytes of the current GPU, free or not."""
    return float(torch.cuda.mem_get_info()[1])


def measure(hidden_size: int, intermediate_size: int, device: Device) -> Speed:
    """Measure this machine, in about a second, on matrices of a model's sizes."""
    dtype = torch.float32 if device.mixed_precision == "no" else device.dtype
    x = torch.ones(_ROWS, hidden_size, dtype=dtype, device=device.kind)
    weight = torch.ones(hidden_size, intermediate_size, dtype=dtype, device=device.kind)
    wide = torch.ones(_ROWS, intermediate_size, dtype=dtype, device=device.kind)
    operations = 2 * _ROWS * hidden_size * intermediate_size
    product = _best_seconds(lambda: x @ weight, device)
    elementwise = _best_seconds(lambda: functional.silu(wide), device)
    return Speed(operations / product, elementwise / wide.numel())


def _best_seconds(function: Callable[[], Any], device: Device, budget: float = 0.3) -> float:
    """The shortest of several calls: other work on the machine only makes them longer."""
    best, started = float("inf"), time.perf_counter()
    while True:
        before = time.perf_counter()
        function()
        if device.kind == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - before)
        if time.perf_counter() - started > budget:
            return best
