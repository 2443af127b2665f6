"""The command line in surroundings that nobody tests in: odd file names, no home, no UTF-8, closed and full outputs."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import ORAK, SOTO, write_csv

ASCII = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
KOKI = f"{sys.executable} -m koki"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="speaks to a POSIX shell")]


def shell(command: str, folder: Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in a folder; KOKI in it is the command line."""
    return subprocess.run(
        ["bash", "-c", command.replace("KOKI", KOKI)],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with recipes in resep.csv, one title of which is not ASCII."""
    write_csv(tmp_path / "resep.csv", [SOTO, ORAK | {"Title": "Tempe é"}])
    return tmp_path


def test_files_may_have_any_name(folder: Path) -> None:
    names = ["a b.csv", "it's.csv", 'q"q.csv', "-dash.csv", "new\nline.csv", "ünï 食.csv", "[bold]x.csv", "x[1].csv"]
    for name in [*names, os.fsdecode(b"no\xfftext.csv")]:
        shutil.copy(folder / "resep.csv", folder / name)
    run = shell("KOKI check --json -- *.csv && KOKI check -- *.csv >/dev/null", folder)
    assert (run.returncode, run.stderr) == (0, "")
    assert {file["path"] for file in json.loads(run.stdout)["files"]} >= set(names)


def test_without_utf_8_what_cannot_be_printed_is_escaped(folder: Path) -> None:
    shutil.copy(folder / "resep.csv", folder / "ünï.csv")
    run = shell("KOKI check --json ünï.csv && KOKI check ünï.csv && KOKI config", folder, ASCII)
    assert (run.returncode, run.stderr) == (0, "")
    report, _ = json.JSONDecoder().raw_decode(run.stdout)
    assert report["rows_kept"] == 2
    run = shell("printf '½ sdt gula jawa é\\n' | KOKI parse - && KOKI check ü.csv", folder, ASCII)
    assert "jawa" in run.stdout
    assert run.stderr.startswith("Error There is no recipe file")


@pytest.mark.parametrize("environment", [ASCII, {"LC_ALL": "C"}], ids=["told to be ASCII", "LC_ALL=C"])
def test_without_utf_8_a_setting_and_a_column_may_be_any_text(folder: Path, environment: dict[str, str]) -> None:
    run = shell("KOKI config --set output=sotó --set 'data.columns={title: Menú}'", folder, environment)
    assert (run.returncode, run.stderr) == (0, "")
    assert "sot" in run.stdout.splitlines()[0]
    run = shell("sed -i s/Title/Menú/ resep.csv; KOKI check --json --columns title=Menú resep.csv", folder, environment)
    assert json.loads(run.stdout)["files"][0]["columns"]["title"] == "Menú"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("KOKI check resep.csv | head -1", "Files"),
        ("KOKI check --json resep.csv | head -1", "{"),
        ("KOKI config | head -1", "output"),
        ("yes '2 siung bawang' | head -20000 | KOKI parse - | head -1", "bawang"),
        ("KOKI check resep.csv > /dev/full", ""),
        ("KOKI config > /dev/full", ""),
        ("KOKI check resep.csv >&-", ""),
        ("KOKI check nix.csv 2>&-", ""),
        ("KOKI parse - <&-", ""),
        ("KOKI ask nix <&-", ""),
    ],
)
def test_an_output_or_input_that_is_closed_or_full_gives_no_traceback(folder: Path, command: str, says: str) -> None:
    run = shell(command, folder)
    assert says in run.stdout
    assert "Traceback" not in run.stderr
    assert "Exception" not in run.stderr


@pytest.mark.parametrize("environment", [{"TERM": "dumb", "COLUMNS": "20"}, {"COLUMNS": "1"}, {"HOME": "/proc/none"}])
def test_a_narrow_or_dumb_terminal_and_a_home_that_cannot_be_written_do_no_harm(
    folder: Path, environment: dict[str, str]
) -> None:
    run = shell("KOKI check resep.csv", folder, environment)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_folder_that_is_gone_does_no_harm(folder: Path) -> None:
    run = shell("mkdir gone; cd gone; rmdir ../gone; KOKI check ../resep.csv; KOKI check resep.csv", folder)
    assert "There is no recipe file resep.csv" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no second file system")
def test_a_run_without_a_home_on_another_file_system_is_whole(folder: Path) -> None:
    other = Path("/dev/shm") / f'koki "test" {os.getpid()}'
    settings = "--set training.max_steps=1 --set data.tips=false --set training.gradient_checkpointing=false"
    try:
        run = shell(f"unset HOME; KOKI train --model mini --data resep.csv {settings} --output '{other}'", folder)
        assert (run.returncode, run.stderr) == (0, "")
        assert (other / "training_metadata.json").is_file()
        assert (other / "checkpoint-1").is_dir()
    finally:
        shutil.rmtree(other, ignore_errors=True)


def as_nobody() -> str:
    """A shell command that runs the rest as a user without rights, or a reason to skip."""
    if os.geteuid() != 0:
        return ""
    if not shutil.which("setpriv"):
        pytest.skip("run as root, whom nothing is forbidden, and setpriv is not installed")
    command = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    if subprocess.run(
        [*command.split(), sys.executable, "-c", "import koki"], check=False, capture_output=True
    ).returncode:
        pytest.skip("run as root, whom nothing is forbidden, and another user cannot read Python or Koki")
    return command


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("check rahasia.csv", "rahasia.csv"),
        ("config --config rahasia.csv", "rahasia.csv"),
        ("check resep.csv --output milik/x.csv", "milik/x.csv cannot be written: [Errno 13] Permission denied"),
        ("check milik/tutup/x.csv", "milik/tutup/x.csv"),
    ],
)
def test_what_a_user_may_not_read_or_write_is_an_error_that_names_it(
    open_folder: Path, command: str, says: str
) -> None:
    nobody = as_nobody()
    for name, mode in (("resep.csv", 0o644), ("rahasia.csv", 0o600 if nobody else 0)):
        write_csv(open_folder / name, [SOTO, ORAK]).chmod(mode)
    (open_folder / "milik").mkdir(mode=0o555)
    run = shell(f"{nobody} KOKI {command}", open_folder)
    assert run.returncode in (1, 2)
    assert says in run.stderr
    assert "Traceback" not in run.stderr
