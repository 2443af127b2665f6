"""The lock on a run folder: one run at a time, and never a stale one."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from koki.errors import ConfigError
from koki.lock import hold

# Takes the lock, leaves a child behind that a data loader might have forked, which says when it is there.
HOLDER = """
import os, sys, time
from pathlib import Path
from koki.lock import hold
with hold(Path(sys.argv[1])):
    if os.fork() == 0:
        print(os.getpid(), flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no processes")
def test_a_second_run_is_refused_with_folder_and_process_until_the_first_is_dead(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        worker = int(holder.stdout.readline())
        with pytest.raises(ConfigError) as caught, hold(tmp_path):
            pass
        assert f"Another run (process {holder.pid}) is using {tmp_path}." in caught.value.what
        holder.kill()
        holder.wait()
        with hold(tmp_path) as unlocked:  # although the worker lives on
            assert unlocked is None
        subprocess.run(["kill", str(worker)], check=True)


def test_also_within_one_process(tmp_path: Path) -> None:
    with hold(tmp_path):
        started = time.monotonic()
        with pytest.raises(ConfigError, match="is using"), hold(tmp_path):
            pass
        assert time.monotonic() - started < 1
    with hold(tmp_path):
        pass


def test_an_error_while_it_is_held_gives_it_back(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold(tmp_path):
        _ = 1 / 0
    with hold(tmp_path):
        pass


def test_where_a_file_system_has_no_locks_the_run_goes_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import koki.lock as module

    def unsupported(_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(module, "_lock", unsupported)
    with hold(tmp_path) as unlocked:
        assert unlocked is not None
        assert "Function not implemented" in unlocked
