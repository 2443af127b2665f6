"""The processes of one run: what they agree on, and how they end together.

`torchrun` and `accelerate launch` start them. Each trains on its share of every step; the first alone writes and
prints. What they agree on travels as small tensors on the CPU, through gloo, also where gradients travel through
NCCL: gloo notices at once that a process is gone.

At a *meeting* every process is at the same place in the program. Between two meetings each works for itself; one that
fails goes to the next meeting with its error, and there all end: the first prints that error, the others are silent.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar, cast

import torch
from accelerate import PartialState
from torch import distributed

from koki.errors import KokiError, TrainingError
from koki.language import _, ngettext

_T = TypeVar("_T")


class Processes:
    """All processes of a run, as one of them sees them; by default it is the only one.

    Args:
        rank: of this process, from 0.
        world_size: how many processes there are.
        group: through which they agree; None for a single process.
        local_rank: of this process on its machine, from 0.
        share_base: whether each is to hold a part of the base only, as the launcher was told.
    """

    def __init__(
        self,
        rank: int = 0,
        world_size: int = 1,
        group: distributed.ProcessGroup | None = None,
        *,
        local_rank: int = 0,
        share_base: bool = False,
    ) -> None:
        self.rank = rank
        self.world_size = world_size
        self.share_base = share_base
        self._is_main_here = local_rank == 0
        self._group = group
        self._is_ending = False

    @property
    def is_main(self) -> bool:
        """Whether this process writes and prints."""
        return self.rank == 0

    # failing

    @contextmanager
    def failing_together(self) -> Iterator[None]:
        """Let all processes meet at the end: where one has failed, all fail.

        Raises:
            KokiError: in the first process, what another has failed with; its own error goes through as it is.
            SystemExit: in every other process, once the first has ended; that one says why.
        """
        try:
            yield
        except Exception as error:
            if not self._is_ending:
                self._meet(error)
            raise
        self._meet(None)

    @contextmanager
    def failing_alone(self) -> Iterator[None]:
        """Let an error end this process alone: the others do not meet it, they notice that it is gone."""
        try:
            yield
        except BaseException:
            self._is_ending = True
            raise

    def barrier(self) -> None:
        """Wait until the first process has ended, for a launcher ends all when one ends with an error."""
        if not self.is_main:
            with suppress(RuntimeError):  # how gloo says that a process is gone
                distributed.barrier(self._group)

    def _meet(self, error: Exception | None) -> None:
        if self.world_size == 1 or not self.all_max(error is not None):
            return
        self._is_ending = True
        failures = self._gather(_described(error))
        if not self.is_main:
            self.barrier()
            raise SystemExit(1) from error
        if error is None:
            number, (what, how) = next((n, failure) for n, failure in enumerate(failures) if failure is not None)
            raise KokiError(
                _(
                    "Process {number} of {world_size} (the first is 0): {what}",
                    number=number,
                    world_size=self.world_size,
                    what=what,
                ),
                how,
            )

    # agreeing

    def all_gather(self, value: _T) -> list[_T]:
        """Give every process the values of all, by rank."""
        self._meet(None)
        return self._gather(value)

    def broadcast(self, make: Callable[[], _T]) -> _T:
        """Give every process what the first one makes."""
        return self.all_gather(make() if self.is_main else cast(_T, None))[0]

    def main_here_first(self, make: Callable[[], _T]) -> _T:
        """Let each process make something; on each machine the first one begins, and the others find what it kept."""
        made = [make()] if self._is_main_here else []
        self.all_gather(None)  # here the others wait
        return made[0] if made else make()

    def require_same(self, values: dict[str, Any]) -> None:
        """Check that all processes would train alike.

        Raises:
            KokiError: they would not; names the values that differ.
        """
        theirs = self.all_gather(values)
        with self.failing_together():
            if differing := [name for name in values if any(other[name] != values[name] for other in theirs)]:
                there = [{name: other[name] for name in differing} for other in theirs]
                raise KokiError(
                    _("The processes do not see the same: {there}.", there=there), _("Give all of them the same files.")
                )

    def all_max(self, number: int) -> int:
        """Give every process the largest of their numbers."""
        if self.world_size == 1:
            return number
        largest = torch.tensor(int(number))
        with self._while_all_live():
            distributed.all_reduce(largest, distributed.ReduceOp.MAX, self._group)
        return int(largest)

    def all_sum(self, *numbers: float | torch.Tensor) -> tuple[Any, ...]:
        """Sum each number over the processes, in double precision; a single process gets its numbers as they are."""
        if self.world_size == 1:
            return numbers
        total = torch.tensor([float(number) for number in numbers], dtype=torch.float64)
        with self._while_all_live():
            distributed.all_reduce(total, group=self._group)
        return tuple(total.tolist())

    def all_sum_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Sum gradients over the processes; a process that had nothing to do in this step adds zeros."""
        if self.world_size == 1:
            return
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        for parameter in trained:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [cast(torch.Tensor, parameter.grad) for parameter in trained]
        total = torch.cat([gradient.flatten().float() for gradient in gradients])
        with self._while_all_live():
            distributed.all_reduce(total)
        for gradient, added in zip(gradients, total.split([one.numel() for one in gradients]), strict=True):
            gradient.copy_(added.view_as(gradient))

    def _gather(self, value: _T) -> list[_T]:
        if self.world_size == 1:
            return [value]
        values: list[Any] = [None] * self.world_size
        with self._while_all_live():
            distributed.all_gather_object(values, value, self._group)
        return values

    @contextmanager
    def _while_all_live(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            self._is_ending = True
            if not self.is_main:
                self.barrier()
                raise SystemExit(1) from error
            raise TrainingError(
                _(
                    "Another process of this run has ended or cannot be reached ({reason}).",
                    reason=str(error).splitlines()[0],
                ),
                _("What it printed says why. The same command goes on from the newest checkpoint."),
            ) from error


ALONE: Final = Processes()


def join_processes() -> Processes:
    """Find the other processes that a launcher has started with this one, and its device among theirs.

    Raises:
        KokiError: there are more of them on a machine than GPUs.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Processes()
    # taken out, or accelerate would wrap the model in its own way, whose checkpoints fit no other number of processes
    share_base = os.environ.pop("ACCELERATE_USE_FSDP", "false").lower() in ("true", "1")
    state = PartialState(cpu=not torch.cuda.is_available())
    processes = Processes(
        state.process_index,
        state.num_processes,
        distributed.new_group(backend="gloo"),
        local_rank=state.local_process_index,
        share_base=share_base,
    )
    with processes.failing_together():
        _require_a_gpu_for_each(int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
    return processes


def _require_a_gpu_for_each(processes_here: int) -> None:
    """NCCL, through which gradients travel, refuses two processes on one GPU, in words of its own."""
    if torch.cuda.is_available() and (gpus := torch.cuda.device_count()) < processes_here:
        raise KokiError(
            ngettext(
                "{processes} processes were started on this machine, which has {count} GPU.",
                "{processes} processes were started on this machine, which has {count} GPUs.",
                gpus,
                processes=processes_here,
            ),
            _("Start {gpus} (--nproc-per-node), or set CUDA_VISIBLE_DEVICES= to train on the processor.", gpus=gpus),
        )


def _described(error: Exception | None) -> tuple[str, str] | None:
    if error is None:
        return None
    if isinstance(error, KokiError):
        return error.what, error.how
    return f"{type(error).__name__}: {error}", ""
