"""What happens beside the steps: progress on the terminal, TensorBoard, saving by the clock, and a graceful stop."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from types import FrameType, TracebackType
from typing import Any, Final, Self

from rich.console import Console
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.integrations.integration_utils import TensorBoardCallback

from koki.formatting import duration
from koki.language import _
from koki.progress import bars_on
from koki.training.processes import ALONE, Processes

# What asks a run to stop; Windows has no hang-up.
STOP_SIGNALS: Final = tuple(
    signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if name in signal.Signals.__members__
)


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """How far a training is.

    Attributes:
        step: optimizer steps that are done, those of earlier sessions included.
        max_steps: of the whole run.
        loss: the mean since the log before, as last logged; None before the first log.
        learning_rate: of the step that was logged last.
        held_out_loss: of the last evaluation; None where there was none (``evaluation.every_steps``).
        seconds: since the first step of this session.
        seconds_left: about; None before that step is done.
    """

    step: int
    max_steps: int
    loss: float | None = None
    learning_rate: float | None = None
    held_out_loss: float | None = None
    seconds: float = 0.0
    seconds_left: float | None = None


OnProgress = Callable[[TrainingProgress], object]
"""Called before the first step and after each, and once more after an evaluation."""


class ProgressCallback(TrainerCallback):
    """A line at each log; on a terminal a bar under it, whose step and time left are those of the line above.

    Args:
        on_progress: told the same.
    """

    def __init__(self, console: Console, on_progress: OnProgress | None = None) -> None:
        self._console = console
        self._on_progress = on_progress
        self._bar = bars_on(console)
        self._task = self._bar.add_task(_("training"), total=None, clock="")

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_given: Any
    ) -> None:
        self._steps_before = state.global_step
        self._bar.start()
        self._bar.reset(self._task, total=state.max_steps, completed=state.global_step)
        self._progress = TrainingProgress(state.global_step, state.max_steps)
        self._tell()

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_given: Any
    ) -> None:
        if state.global_step == self._steps_before:
            self._started = time.perf_counter()  # an evaluation before the first step says nothing about what is left

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_given: Any) -> None:
        elapsed = time.perf_counter() - self._started
        to_go = state.max_steps - state.global_step
        left = elapsed / (state.global_step - self._steps_before) * to_go
        self._left = _("{time} left", time=duration(left))
        clock = _("{time} elapsed, {left}", time=duration(elapsed), left=self._left)
        self._bar.update(self._task, completed=state.global_step, clock=clock, refresh=True)
        self._progress = replace(self._progress, step=state.global_step, seconds=elapsed, seconds_left=left)
        if state.global_step == state.max_steps:
            control.should_log = True  # the last loss, also where the run ends between two logs
        if not control.should_log:  # else the loss comes with it
            self._tell()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_given: Any,
    ) -> None:
        if logs and "eval_loss" in logs:
            self._say(
                state,
                _("held-out loss {loss:.4f}", loss=logs["eval_loss"]),
                _("{bits:.3f} bits per byte", bits=logs["eval_bits_per_byte"]),
            )
            self._tell(held_out_loss=logs["eval_loss"])
        if logs and "loss" in logs:
            self._say(
                state,
                _("loss {loss:.4f}", loss=logs["loss"]),
                _("learning rate {rate:.2e}", rate=logs["learning_rate"]),
                _("{speed:,.0f} tokens/s", speed=logs["tokens_per_second"]),
                self._left,
            )
            self._tell(loss=logs["loss"], learning_rate=logs["learning_rate"])

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_given: Any
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the terminal back; also after a failure."""
        self._bar.stop()

    def _tell(self, **news: Any) -> None:
        self._progress = replace(self._progress, **news)
        if self._on_progress is not None:
            self._on_progress(self._progress)

    def _say(self, state: TrainerState, *parts: str) -> None:
        self._console.print(
            "  ".join((_("step {step}/{steps}", step=state.global_step, steps=state.max_steps), *parts)),
            highlight=False,
            soft_wrap=True,
        )


class TensorBoardLog(TensorBoardCallback):
    """TensorBoard's curves; where they cannot be written, that is said once and training goes on without them.

    Args:
        writer: None in a process that writes nothing.
        say: told what goes wrong.
    """

    def __init__(self, writer: Any | None, say: Callable[[str], None]) -> None:
        super().__init__(writer)  # type: ignore[no-untyped-call]
        self._say = say
        self._failed = writer is None

    def on_train_begin(self, *arguments: Any, **options: Any) -> None:
        if not self._failed:  # transformers would make a writer of its own
            super().on_train_begin(*arguments, **options)  # type: ignore[no-untyped-call]

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **options: Any,
    ) -> None:
        self._write(partial(super().on_log, args, state, control, logs, **options))

    def add_text(self, tag: str, text: str, step: int) -> None:
        """Show a text in Markdown."""
        self._write(lambda: self.tb_writer.add_text(tag, text, step))

    def _write(self, write: Callable[[], object]) -> None:
        if self._failed:
            return
        try:
            write()
        except OSError as error:
            self._do_without(error, _("training goes on without it"))

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_given: Any
    ) -> None:
        """Write the log to its end. The writer is closed by whoever opened it, also after a failure."""
        if self._failed:
            return
        try:
            self.tb_writer.flush()
        except OSError as error:
            self._do_without(error, _("its last points are lost"))

    def _do_without(self, error: OSError, what_follows: str) -> None:
        self._failed = True
        self._say(
            _("TensorBoard's log cannot be written: {error}; {what_follows}", error=error, what_follows=what_follows)
        )


@contextmanager
def quiet_tensorboard_thread() -> Iterator[None]:
    """Keep the thread that writes TensorBoard's log from printing a traceback: `TensorBoardLog` says why it died."""
    before = threading.excepthook

    def hook(died: threading.ExceptHookArgs) -> None:
        if not type(died.thread).__module__.startswith("tensorboard."):
            before(died)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before


class SaveEveryMinutes(TrainerCallback):
    """A checkpoint whenever so many minutes have gone by without one."""

    def __init__(self, minutes: float, processes: Processes = ALONE) -> None:
        self._seconds = 60 * minutes
        self._processes = processes

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_given: Any
    ) -> None:
        self._saved = time.monotonic()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_given: Any) -> None:
        if self._processes.all_max(time.monotonic() - self._saved >= self._seconds):
            control.should_save = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_given: Any) -> None:
        self._saved = time.monotonic()


class GracefulStop(TrainerCallback):
    """While entered, the first SIGINT, SIGTERM or SIGHUP ends training after the current step, with a checkpoint.

    One that comes later, while the result is saved, stops nothing: that is soon done, and then the run is.

    A second one stops at once, as if Koki had not listened. A second SIGHUP does not: a terminal that closes sends
    several. A signal that was ignored already stays ignored; that is how ``nohup`` works. Of several processes, all
    stop after the step in which one was asked to.

    Attributes:
        received: the signal that asked to stop, or None.
    """

    def __init__(self, console: Console, processes: Processes = ALONE) -> None:
        self.received: signal.Signals | None = None
        self._console = console
        self._processes = processes
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        # Python hands signals to the main thread alone; trained in another, Koki leaves them to the program around it
        if threading.current_thread() is threading.main_thread():
            for number in STOP_SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._handlers[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_of: type[BaseException] | BaseException | TracebackType | None) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_given: Any) -> None:
        if number := self._processes.all_max(self.received or 0):
            self.received = signal.Signals(number)
            control.should_save = True
            control.should_training_stop = True

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.received = signal.Signals(number)
        for again, handler in self._handlers.items():
            signal.signal(again, signal.SIG_IGN if again.name == "SIGHUP" else handler)
        # printed by a thread: what the signal interrupted may hold the console, and this handler must not wait for it
        text = _("Stopping: this step is finished and saved first. Once more stops at once.")
        threading.Thread(target=self._console.print, args=(f"\n{text}",)).start()


def ignore_stop_signals(_worker: int) -> None:
    """Leave stopping to the main process: a signal to the whole group (Ctrl+C is one) must not lose it a worker.

    The second SIGTERM ends the worker: with one that comes back, a worker that hangs is ended at exit.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: signal.signal(signal.SIGTERM, signal.SIG_DFL))
