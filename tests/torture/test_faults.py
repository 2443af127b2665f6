"""Whatever system call of a save fails, and whenever the process dies in one, a whole checkpoint remains."""

import errno
import io
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from helpers import save_checkpoint

from koki.errors import CheckpointError
from koki.files import write_json
from koki.runs.checkpoints import WRITE_ERRORS, find_newest

pytestmark = pytest.mark.slow

# All through which a save reaches the disk: `io.open` is what pathlib opens files with.
CALLS = (
    *((os, name) for name in ("fsync", "rename", "replace", "mkdir", "rmdir", "unlink", "open", "scandir", "stat")),
    (io, "open"),
)


class Died(BaseException):
    """The process was killed: nothing after it happens, no handler, no tidying up."""


class Faults:
    """A file layer in which the n-th call fails.

    Args:
        number: of the call that fails, counted from 1.
        error: what it raises.
        lasting: so do all after it.
    """

    def __init__(self, number: int, error: BaseException, *, lasting: bool) -> None:
        self._number, self._error, self._lasting = number, error, lasting
        self.calls = 0

    def install(self, patch: pytest.MonkeyPatch) -> None:
        for module, name in CALLS:
            patch.setattr(module, name, self._failing(getattr(module, name)))

    def _failing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def layered(*arguments: Any, **options: Any) -> Any:
            self.calls += 1
            if self.calls == self._number or (self._lasting and self.calls > self._number):
                raise self._error
            return call(*arguments, **options)

        return layered

    @property
    def happened(self) -> bool:
        return self.calls >= self._number


class ShortWrites(io.FileIO):
    """A file that takes three bytes at a time, as the system may."""

    def write(self, data: Any) -> int:
        return super().write(bytes(data)[:3])


def state(run: Path) -> dict[str, bytes]:
    """All that a run folder's checkpoints hold."""
    return {str(file.relative_to(run)): file.read_bytes() for file in run.glob("checkpoint-*/**/*") if file.is_file()}


@pytest.mark.parametrize("keep", [1, 2])
@pytest.mark.parametrize("another_of_this_step", [False, True], ids=["", "damaged-one-in-the-way"])
@pytest.mark.parametrize(
    ("error", "lasting"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), False),
        (OSError(errno.EIO, os.strerror(errno.EIO)), True),
        (Died(), True),
    ],
    ids=["fails-once", "fails-from-then-on", "dies"],
)
def test_at_every_call_of_a_save_a_whole_checkpoint_remains_and_the_next_save_succeeds(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    keep: int,
    another_of_this_step: bool,
    error: BaseException,
    lasting: bool,
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # thousands of real ones would take minutes and prove no more
    number = 0
    while True:
        number += 1
        run = tmp_path / str(number)
        run.mkdir()
        for step in (500, 1000)[-keep:]:
            save_checkpoint(run, step, keep)
        before = state(run)
        if another_of_this_step:
            (run / "checkpoint-1500").mkdir()
        faults = Faults(number, error, lasting=lasting)
        with monkeypatch.context() as patch:
            faults.install(patch)
            with suppress(*WRITE_ERRORS, CheckpointError, Died):
                save_checkpoint(run, 1500, keep)
        newest = find_newest(run).newest
        assert newest is not None
        assert newest.step in (1000, 1500)
        if newest.step == 1000:  # then all is as it was
            assert state(run).items() >= before.items()
        save_checkpoint(run, 2000, keep)
        newest = find_newest(run).newest
        assert newest is not None
        assert newest.step == 2000
        if not faults.happened:
            break
    assert number > 40  # a save is so many calls


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = {"resep": ["soto"] * 1000}
    monkeypatch.setattr(
        io, "open", lambda path, mode, *_, **__: io.TextIOWrapper(io.BufferedWriter(ShortWrites(path, mode)), "utf-8")
    )
    write_json(tmp_path / "a.json", content)
    monkeypatch.undo()
    write_json(tmp_path / "b.json", content)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
