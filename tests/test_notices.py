"""What Koki tells the program that uses it, and that it tells nobody else."""

import io
import logging
import subprocess
import sys

import pytest
from rich.console import Console
from rich.table import Table

from koki.notices import LOG, WARNING, LogConsole, are_printed, printing_warnings
from koki.terminal import say


def test_a_line_for_the_user_is_a_notice_and_a_warning_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    console = LogConsole()
    with caplog.at_level(logging.INFO, "koki"):
        say(console, "Start", "base mini")
        say(console, WARNING, "memory is short")
    assert caplog.record_tuples == [
        ("koki", logging.INFO, "Start       base mini"),
        ("koki", logging.WARNING, "Warning     memory is short"),
    ]


def test_a_table_is_one_notice(caplog: pytest.LogCaptureFixture) -> None:
    table = Table("steps")
    table.add_row("20")
    with caplog.at_level(logging.INFO, "koki"):
        LogConsole().print(table)
    (message,) = caplog.messages
    assert "steps" in message
    assert "20" in message


def test_what_is_logged_has_no_colours_and_no_bars_where_the_surroundings_ask_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as in a notebook
    assert not LogConsole().is_terminal


def test_a_warning_that_nobody_listens_to_is_not_printed() -> None:
    program = "from koki.notices import LOG; LOG.warning('memory is short')"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("", "")


def test_before_a_terminal_warnings_are_printed_and_nothing_else() -> None:
    console = Console(file=io.StringIO())
    with printing_warnings(console):
        assert are_printed()
        LOG.warning("memory [is] short")
        LOG.info("base mini")
    LOG.warning("afterwards")
    assert not are_printed()
    assert console.file.getvalue() == "memory [is] short\n"  # type: ignore[attr-defined]
