"""What the tests of the command line share: two ways to run it, and a file with odd columns."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from koki import language
from koki.cli.app import main
from koki.cli.printing import out

ODD = "Menu;Belanja;Cara\nSoto;ayam--serai;Rebus ayam.\nKosong;;Rebus.\n"
ODD_COLUMNS = "title=Menu, ingredients=Belanja,steps=Cara"


def koki(*arguments: str, stdin: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "koki", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        check=False,
    )


def koki_here(*arguments: str, stdin: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process, which has imported torch: another takes five seconds for that."""
    streams = {name: io.TextIOWrapper(io.BytesIO(), "utf-8") for name in ("stdin", "stdout", "stderr")}
    streams["stdin"].buffer.write(stdin.encode())
    streams["stdin"].buffer.seek(0)
    with pytest.MonkeyPatch.context() as patch:
        for name, stream in streams.items():
            patch.setattr(sys, name, stream)
        patch.setattr(out, "_file", None)  # a verb that outlives its reader holds on to the stream that it found
        patch.setattr(sys, "argv", ["koki", *arguments])
        patch.chdir(cwd or Path.cwd())
        with pytest.raises(SystemExit) as ended:
            main()
    language.choose("en")  # whatever the command line chose
    printed = []
    for name in ("stdout", "stderr"):
        streams[name].seek(0)
        printed.append(streams[name].read())
    return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), *printed)
