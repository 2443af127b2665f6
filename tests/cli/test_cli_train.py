"""`koki train` and `koki demo` on a folder in which the run is finished: history, of which nothing is changed."""

import shutil
from pathlib import Path

import pytest
from commands import koki_here

from koki import config as config_module
from koki.config import load_config
from koki.inference.chef import Chef
from koki.pipeline import TrainResult


@pytest.fixture
def finished(finished_run: TrainResult, tmp_path: Path) -> Path:
    """A copy of a finished run."""
    return shutil.copytree(finished_run.folder, tmp_path / "run")


def written(folder: Path) -> dict[Path, int]:
    """When each file and folder in a folder was last written."""
    return {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}


def test_training_says_so_and_what_can_be_asked_and_writes_no_report(finished: Path) -> None:
    before = written(finished)
    done = koki_here("train", "--config", str(finished / "config.yaml"), "--output", str(finished))
    assert done.returncode == 0
    assert "nothing in it is changed" in done.stdout
    assert f'Ask it:  koki ask {finished} "Tolong berikan resep Soto Ayam."' in done.stdout
    assert "Done:" not in done.stdout
    assert not (finished / "report" / "report.html").exists()
    assert written(finished) == before


@pytest.mark.slow
def test_the_demo_asks_its_chef_again(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    same = load_config(finished / "config.yaml", settings={"output": str(finished)})
    monkeypatch.setattr(config_module, "load_config", lambda **_: same)
    Chef.load(finished)  # which makes its file for llama.cpp, once
    before = written(finished)
    done = koki_here("demo", "--output", str(finished))
    assert done.returncode == 0
    assert "Gimana caranya supaya santan tidak pecah?" in done.stdout
    assert "Report:" not in done.stdout
    assert written(finished) == before
