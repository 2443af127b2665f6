"""Output that does not steer the terminal, and outlives its reader."""

import io
import json
import os
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table
from rich.text import Text

from koki.terminal import SafeConsole, harmless, outlive_reader

STEERING = "\x1b\x07\x9b\x9d\x7f\u202e\u2066\u200f\r\x00"


def test_what_would_steer_a_terminal_is_written_out_wherever_it_stands() -> None:
    console = SafeConsole(file=io.StringIO(), width=200)
    table = Table(f"judul {STEERING}")
    table.add_row(f"sel {STEERING}", Text(f"teks {STEERING}"))
    console.print(f"baris {STEERING}", table, Text(STEERING))
    console.print(f"bergaya {STEERING}", style="bold", markup=False, soft_wrap=True)
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue()
    assert not set(STEERING) & set(said)
    assert said.count("\\u001b") == said.count("\\u202e") == 5  # a cell made of a Text is cropped to its visible width


@given(st.text())
def test_json_means_the_same_with_what_steers_written_out(text: str) -> None:
    assert json.loads(harmless(json.dumps([text], ensure_ascii=False, indent=2))) == [text]


def test_lines_tabs_and_pictures_are_harmless() -> None:
    assert harmless("Soto\n\t½ 鱼 👨‍👩‍👧") == "Soto\n\t½ 鱼 👨‍👩‍👧"


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
