"""Output that outlives its reader."""

import os
import subprocess
import sys

from rich.console import Console

from koki.terminal import outlive_reader


def test_what_a_reader_that_is_gone_would_have_read_is_dropped() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as file:
        console = Console(file=file)
        outlive_reader(console)
        console.print("terbaca")
        assert os.read(reader, 100) == b"terbaca\n"
        os.close(reader)
        console.print("hilang")
        console.print("hilang juga")


def test_also_when_python_flushes_at_exit() -> None:
    code = (
        "from rich.console import Console; from koki.terminal import outlive_reader\n"
        "console = Console(); outlive_reader(console); input(); console.print('hilang')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.close()
    process.stdin.write(b"\n")
    process.stdin.close()
    assert process.wait(timeout=60) == 0


def test_a_console_is_otherwise_what_it_was() -> None:
    console = Console()
    is_terminal, encoding = console.is_terminal, console.encoding
    outlive_reader(console)
    outlive_reader(console)
    assert (console.is_terminal, console.encoding) == (is_terminal, encoding)
