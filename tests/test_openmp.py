"""Threads that wait sleep, so that a busy machine does not stand still; what the user has set stays."""

import os
import subprocess
import sys

import pytest

SETTINGS = ("OMP_WAIT_POLICY", "KMP_BLOCKTIME")


def after_import_of_koki(**environment: str) -> list[str]:
    """The settings, in a process that imports Koki, with the environment's in their place."""
    program = f"import koki, os; print(*(os.environ[it] for it in {SETTINGS}))"
    clean = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    printed = subprocess.check_output([sys.executable, "-c", program], env={**clean, **environment}, text=True)
    return printed.split()


def test_threads_sleep_while_they_wait() -> None:
    assert after_import_of_koki() == ["passive", "0"]


def test_what_the_user_has_set_stays() -> None:
    assert after_import_of_koki(OMP_WAIT_POLICY="active", KMP_BLOCKTIME="200") == ["active", "200"]


@pytest.mark.slow
@pytest.mark.parametrize("entry", ["from koki import Chef; Chef", "import koki.pipeline"])
def test_openmp_has_the_setting_when_torch_starts(entry: str) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    started = subprocess.run(
        [sys.executable, "-c", f"{entry}; import torch"],
        env={**clean, "OMP_DISPLAY_ENV": "verbose"},  # OpenMP prints its settings when it is loaded
        capture_output=True,
        text=True,
        check=True,
    )
    spins = [line.split("=")[1].strip() for line in started.stderr.splitlines() if "GOMP_SPINCOUNT" in line]
    if not spins:
        pytest.skip("this torch does not have GNU's OpenMP, which says how often a thread looks before it sleeps")
    assert set(spins) == {"'0'"}
