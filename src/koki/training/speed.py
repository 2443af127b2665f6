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
# Samples of each, and their seconds: on some systems the clock of processor time is coarse (15.6 ms).
_SAMPLES: Final = 4
_SAMPLE_SECONDS: Final = 0.1


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
    seconds = _seconds_on_gpu if device.kind == "cuda" else _seconds_on_cpu
    product = _least(seconds, lambda: x @ weight)
    elementwise = _least(seconds, lambda: functional.silu(wide))
    return Speed(operations / product, elementwise / wide.numel())


def _least(seconds: Callable[[Callable[[], Any]], float], function: Callable[[], Any]) -> float:
    """Seconds of one call: the least of several samples, because other work on the machine only makes them longer."""
    function()  # the first call of an operation prepares more than it computes
    return min(seconds(function) for _ in range(_SAMPLES))


def _seconds_on_cpu(function: Callable[[], Any]) -> float:
    """The mean of one sample's calls, in processor time, which is that of this process whatever else runs.

    It is shared by the threads: both operations of `measure` are dealt out to all of them in equal parts.
    """
    calls, spent, started, before = 0, 0.0, time.perf_counter(), time.process_time()
    while not spent or time.perf_counter() - started < _SAMPLE_SECONDS:  # on a busy machine it may be over as it begins
        function()
        calls += 1
        spent = time.process_time() - before
    return spent / calls / torch.get_num_threads()


def _seconds_on_gpu(function: Callable[[], Any]) -> float:
    """The mean of one sample's calls; a GPU is seldom shared."""
    calls, started = 0, time.perf_counter()
    while not calls or time.perf_counter() - started < _SAMPLE_SECONDS:
        function()
        torch.cuda.synchronize()
        calls += 1
    return (time.perf_counter() - started) / calls
