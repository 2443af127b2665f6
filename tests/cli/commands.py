"""What the tests of the command line share: a way to run it, and a file with odd columns."""

import subprocess
import sys
from pathlib import Path

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
