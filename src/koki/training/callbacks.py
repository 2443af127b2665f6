"""What happens beside the steps: progress on the terminal, and a graceful stop."""

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class ProgressCallback(TrainerCallback):
    """A bar with loss, tokens a second and time left on a terminal; where there is none, a line at each log."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("[bold]training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}  {task.fields[speed]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("training", total=None, loss="-", speed="")

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._started = time.perf_counter()
        self._steps_before = state.global_step
        self._tokens_before = state.num_input_tokens_seen
        self._bar.start()
        self._bar.update(self._task, total=state.max_steps, completed=state.global_step)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._bar.update(self._task, completed=state.global_step, speed=f"{self._tokens_a_second(state):,.0f} tokens/s")
        if state.global_step == state.max_steps:
            control.should_log = True  # the last loss, also where the run ends between two logs

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        if not logs or "loss" not in logs:
            return
        self._bar.update(self._task, loss=f"{logs['loss']:.3f}")
        self._console.print(
            f"step {state.global_step}/{state.max_steps}  loss {logs['loss']:.4f}"
            f"  learning rate {logs['learning_rate']:.2e}  {self._tokens_a_second(state):,.0f} tokens/s"
            f"  {self._minutes_left(state)} left",
            highlight=False,
        )

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Give the terminal back; also after a failure."""
        self._bar.stop()

    def _tokens_a_second(self, state: TrainerState) -> float:
        tokens = int(state.num_input_tokens_seen) - int(self._tokens_before)
        return tokens / (time.perf_counter() - self._started)

    def _minutes_left(self, state: TrainerState) -> str:
        done = state.global_step - self._steps_before
        seconds = (time.perf_counter() - self._started) / max(1, done) * (state.max_steps - state.global_step)
        return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


class GracefulStop(TrainerCallback):
    """While entered, the first SIGINT or SIGTERM ends training after the current step, with a checkpoint.

    A second one stops at once, as if Koki had not listened.

    Attributes:
        received: the signal that asked to stop, or None.
    """

    def __init__(self, console: Console) -> None:
        self.received: signal.Signals | None = None
        self._console = console
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        # Python hands signals to the main thread alone; trained in another, Koki leaves them to the program around it
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._handlers[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._restore()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self.received is not None:
            control.should_save = True
            control.should_training_stop = True

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.received = signal.Signals(number)
        self._restore()
        self._console.print("\nStopping: this step is finished and saved first. Once more stops at once.")

    def _restore(self) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
