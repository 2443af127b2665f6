"""A real run in a process of its own that is asked to stop: exit code, checkpoint, the command that goes on."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import SHORT

from koki.runs.checkpoints import find_newest

pytestmark = pytest.mark.slow
pty = pytest.importorskip("pty", reason="a terminal of Windows cannot be closed from outside")

# The first terminal that a new session opens is the one it belongs to, so that closing it hangs up.
RUN = "import os; os.open(os.ttyname(0), os.O_RDWR); from koki.cli.app import main; main()"


def start(recipe_csv: Path, output: Path, *options: str, terminal: int) -> subprocess.Popen[bytes]:
    settings = [*SHORT, "training.max_steps=100000", "training.logging_steps=1"]
    options = (*(option for setting in settings for option in ("--set", setting)), *options)
    return subprocess.Popen(
        [sys.executable, "-c", RUN, "train", "--model", "mini", "--data", recipe_csv, "--output", output, *options],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )


def read_until(terminal: int, text: bytes) -> bytes:
    """All that is printed up to and with ``text``, or to the end."""
    seen = b""
    while text not in seen:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # what Linux says at the end of a terminal
            break
        if not chunk:
            break
        seen += chunk
    return seen


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_saves_and_prints_the_command_that_goes_on(
    recipe_csv: Path, tmp_path: Path, number: signal.Signals
) -> None:
    ours, its = pty.openpty()
    process = start(recipe_csv, tmp_path / "run", "--set", "training.dataloader_num_workers=2", terminal=its)
    os.close(its)
    read_until(ours, b"step 2/")
    os.killpg(process.pid, number)
    last_words = without_colours(read_until(ours, b"never printed").decode())
    os.close(ours)
    assert process.wait() == 128 + number
    newest = find_newest(tmp_path / "run").newest
    assert newest is not None
    assert last_words.count("Stopping: this step is finished and saved first.") == 1
    assert f"Stopped at step {newest.step} with a checkpoint" in last_words
    assert "  koki train --model mini --data" in last_words


def test_a_terminal_that_closes_stops_the_run_with_a_checkpoint_and_no_error(recipe_csv: Path, tmp_path: Path) -> None:
    ours, its = pty.openpty()
    process = start(recipe_csv, tmp_path / "run", terminal=its)
    os.close(its)
    read_until(ours, b"step 2/")
    os.close(ours)
    assert process.wait() == 128 + signal.SIGHUP
    assert find_newest(tmp_path / "run").newest is not None


def test_the_command_that_goes_on_from_a_fresh_start_does_not_start_over(recipe_csv: Path, tmp_path: Path) -> None:
    ours, its = pty.openpty()
    process = start(recipe_csv, tmp_path / "run", "--fresh", "--seed", "7", terminal=its)
    os.close(its)
    read_until(ours, b"step 2/")
    process.terminate()
    command = without_colours(read_until(ours, b"never printed").decode()).splitlines()[-1]
    os.close(ours)
    process.wait()
    assert command.endswith(" --seed 7")
    assert "--fresh" not in command
