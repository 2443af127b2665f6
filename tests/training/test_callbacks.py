"""Signals: the first asks to stop, the second stops at once; a terminal that closes is no second one."""

import io
import re
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import printed
from rich.console import Console
from torch.utils.tensorboard import SummaryWriter
from transformers import TrainerControl, TrainerState

from koki.training.callbacks import (
    STOP_SIGNALS,
    GracefulStop,
    OnProgress,
    ProgressCallback,
    TensorBoardLog,
    TrainingProgress,
    ignore_stop_signals,
    quiet_tensorboard_thread,
)

hangs_up = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminal of this system hangs up")


class Unheard(Exception):
    """A signal reached the program around Koki."""


@pytest.fixture(autouse=True)
def around() -> Iterator[None]:
    """The program around Koki, with handlers of its own."""

    def unheard(number: int, _: object) -> None:
        raise Unheard(signal.Signals(number).name)

    before = {number: signal.signal(number, unheard) for number in STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def asks_to_stop(stop: GracefulStop) -> bool:
    control = TrainerControl()
    stop.on_step_end(None, TrainerState(), control)  # type: ignore[arg-type]  # it reads none
    assert control.should_save == control.should_training_stop
    return control.should_training_stop


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_the_first_signal_asks_to_stop_with_a_checkpoint_after_the_step(
    console: Console, number: signal.Signals
) -> None:
    with GracefulStop(console) as stop:
        assert not asks_to_stop(stop)
        signal.raise_signal(number)
        assert stop.received == number
        assert asks_to_stop(stop)


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("first", STOP_SIGNALS)
def test_a_second_one_stops_at_once(console: Console, first: signal.Signals, second: signal.Signals) -> None:
    with GracefulStop(console):
        signal.raise_signal(first)
        with pytest.raises(Unheard, match=second.name):
            signal.raise_signal(second)


@hangs_up
@pytest.mark.parametrize("first", STOP_SIGNALS)
def test_a_terminal_that_closes_may_say_so_again(console: Console, first: signal.Signals) -> None:
    with GracefulStop(console) as stop:
        signal.raise_signal(first)
        signal.raise_signal(signal.SIGHUP)
        assert stop.received == first


@hangs_up
def test_what_was_ignored_before_stays_ignored_as_under_nohup(console: Console) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with GracefulStop(console) as stop:
        signal.raise_signal(signal.SIGHUP)
        assert stop.received is None


@hangs_up
def test_afterwards_signals_are_the_programs_again(console: Console) -> None:
    with GracefulStop(console):
        signal.raise_signal(signal.SIGHUP)
    for number in STOP_SIGNALS:
        with pytest.raises(Unheard, match=number.name):
            signal.raise_signal(number)


def test_a_worker_leaves_the_first_signal_to_the_main_process() -> None:
    ignore_stop_signals(0)
    for number in STOP_SIGNALS:
        signal.raise_signal(number)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_the_bar_of_a_resumed_run_starts_where_the_run_stands_and_takes_its_speed_from_this_session(
    console: Console,
) -> None:
    progress = ProgressCallback(console)
    state = TrainerState(global_step=5000, max_steps=6000)
    progress.on_train_begin(None, state, TrainerControl())  # type: ignore[arg-type]  # it reads none
    (task,) = progress._bar.tasks
    assert (task.completed, task.total) == (5000, 6000)
    progress.close()


def logged_at(
    steps: int, of: int, seconds_a_step: float, console: Console, on_progress: OnProgress | None = None
) -> ProgressCallback:
    """The progress of a run that logs its last step so far."""
    progress, control, clock = ProgressCallback(console, on_progress), TrainerControl(), 0.0
    state = TrainerState(max_steps=of)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("koki.training.callbacks.time.perf_counter", lambda: clock)
        progress.on_train_begin(None, state, control)  # type: ignore[arg-type]  # it reads none
        for step in range(steps):
            progress.on_step_begin(None, state, control)  # type: ignore[arg-type]
            clock += seconds_a_step
            state.global_step = step + 1
            progress.on_step_end(None, state, control)  # type: ignore[arg-type]
        logs = {"loss": 1.77625, "learning_rate": 1.72e-5, "tokens_per_second": 1190.6}
        progress.on_log(None, state, control, logs)  # type: ignore[arg-type]
    return progress


def test_a_log_is_a_line_with_step_loss_speed_and_the_time_that_is_left(console: Console) -> None:
    logged_at(20, 60, 7.0, console).close()
    line = "step 20/60  loss 1.7763  learning rate 1.72e-05  1,191 tokens/s  5 min left"
    assert printed(console).splitlines()[0] == line


def test_a_program_is_told_the_same_before_the_first_step_after_each_and_at_a_log(console: Console) -> None:
    told: list[TrainingProgress] = []
    logged_at(20, 60, 7.0, console, told.append).close()
    assert [progress.step for progress in told] == [*range(21), 20]  # what is logged was not known before
    assert told[0] == TrainingProgress(0, 60)
    assert told[-2] == TrainingProgress(20, 60, seconds=140.0, seconds_left=280.0)
    assert told[-1] == replace(told[-2], loss=1.77625, learning_rate=1.72e-5)


def test_the_bar_under_a_line_has_its_step_and_time_and_says_which_time_is_which() -> None:
    terminal = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None, legacy_windows=False)
    logged_at(20, 60, 7.0, terminal).close()
    after_the_line = printed(terminal).partition("5 min left\n")[2]
    bars = [line for line in re.split(r"[\r\n]", after_the_line) if "training" in line]
    assert bars
    assert all(bar.rstrip().endswith("20/60 2 min elapsed, 5 min left") for bar in bars)


def test_a_tensorboard_log_that_cannot_be_written_is_said_once_and_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    with quiet_tensorboard_thread():
        writer = SummaryWriter(str(tmp_path / "tensorboard"), flush_secs=0)  # at once, by the thread that writes
        log = TensorBoardLog(writer, said.append)
        shutil.rmtree(tmp_path / "tensorboard")
        for step in range(3):
            log.on_log(None, TrainerState(global_step=step), TrainerControl(), {"loss": 1.0})  # type: ignore[arg-type]
        log.on_train_end(None, TrainerState(), TrainerControl())  # type: ignore[arg-type]  # it reads none
        with suppress(OSError):
            writer.close()
    assert len(said) == 1
    assert "TensorBoard's log cannot be written" in said[0]
    assert "Traceback" not in capsys.readouterr().err


def test_a_log_whose_last_points_are_lost_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    with quiet_tensorboard_thread():
        writer = SummaryWriter(str(tmp_path / "tensorboard"))
        log = TensorBoardLog(writer, said.append)
        writer.flush()  # its thread waits now, so what follows is not a race
        shutil.rmtree(tmp_path / "tensorboard")
        writer.add_scalar("loss", 1.0, 1)
        log.on_train_end(None, TrainerState(), TrainerControl())  # type: ignore[arg-type]  # it reads none
        with suppress(OSError):
            writer.close()
    assert ["its last points are lost" in line for line in said] == [True]


def test_another_thread_that_dies_is_still_heard_of() -> None:
    heard: list[str] = []
    before, threading.excepthook = threading.excepthook, lambda died: heard.append(str(died.exc_value))
    try:
        with quiet_tensorboard_thread():
            dying = threading.Thread(target=lambda: int("x"))
            dying.start()
            dying.join()
    finally:
        threading.excepthook = before
    assert len(heard) == 1
