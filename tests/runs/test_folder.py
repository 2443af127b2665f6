"""The run folder: one run at a time, nothing lost, room for what will be written."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from koki.config import RunConfig
from koki.errors import ConfigError
from koki.runs.folder import kept_recipes, open_run_folder, require_space, write_config, write_recipes
from koki.runs.names import CONFIG, RECIPES

Usage = namedtuple("Usage", "total used free")


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    with open_run_folder(str(tmp_path / "a" / "b"), fresh=False) as opened:
        assert opened.path.is_dir()
        assert (opened.set_aside, opened.unlocked) == (None, None)


def test_a_run_that_died_before_it_wrote_anything_may_start_again(tmp_path: Path) -> None:
    for fresh in (False, True, False):
        with open_run_folder(str(tmp_path / "run"), fresh=fresh) as opened:
            assert opened.set_aside is None


@pytest.mark.parametrize("fresh", [False, True])
def test_while_a_run_uses_a_folder_no_other_may_and_nothing_in_it_is_moved(tmp_path: Path, fresh: bool) -> None:
    with open_run_folder(str(tmp_path / "run"), fresh=False) as first:
        (first.path / CONFIG).touch()
        with pytest.raises(ConfigError, match="is using"), open_run_folder(str(first.path), fresh=fresh):
            pass
        assert (first.path / CONFIG).exists()


def test_fresh_sets_an_earlier_run_aside(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    write_config(tmp_path / "run", RunConfig())
    with open_run_folder(str(tmp_path / "run"), fresh=True) as opened:
        assert opened.set_aside == tmp_path / "run.old-1"
        assert (opened.set_aside / CONFIG).exists()
        assert not (opened.path / CONFIG).exists()


def test_a_folder_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "berkas").touch()
    with (
        pytest.raises(ConfigError, match="berkas/run cannot be used"),
        open_run_folder(str(tmp_path / "berkas" / "run"), fresh=False),
    ):
        pass


def test_the_digests_of_a_hundred_thousand_recipes_are_kept_in_two_megabytes(tmp_path: Path) -> None:
    digests = {"resep.csv": [f"{number:016x}" for number in range(100_000)], "baru.csv": []}
    write_recipes(tmp_path, digests)
    assert kept_recipes(tmp_path) == digests
    assert (tmp_path / RECIPES).stat().st_size < 2e6


@pytest.mark.parametrize("text", [None, "[", '["resep.csv"]', '{"resep.csv": 3}', "[" * 100_000])
def test_digests_that_cannot_be_read_are_none(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / RECIPES).write_text(text, "utf-8")
    assert kept_recipes(tmp_path) is None


@pytest.mark.parametrize("name", ["config.yaml", "resep.csv", "tensorboard"])
def test_a_folder_with_files_of_the_users_own_is_no_run_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("warung: Bu Sri\n")
    with pytest.raises(ConfigError, match="was not made by Koki"), open_run_folder(str(tmp_path), fresh=False):
        pass
    assert (tmp_path / name).read_text() == "warung: Bu Sri\n"


@pytest.mark.parametrize("name", ["baris\nbaru", "a\tb", "\x1b[31mmerah", "\u202ekiri", "a\x9bb"])
def test_a_name_that_would_start_a_line_or_steer_a_terminal_is_refused(tmp_path: Path, name: str) -> None:
    with (
        pytest.raises(ConfigError, match="control characters"),
        open_run_folder(str(tmp_path / name), fresh=False),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_too_little_room_is_an_error_that_says_how_much_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 390_000_000))
    with pytest.raises(ConfigError, match=r"needs about 400 MB .*; 390 MB are free"):
        require_space(tmp_path, 400e6)
    require_space(tmp_path, 380e6)


def test_checkpoints_that_will_be_rotated_away_are_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 1_000_000))
    with pytest.raises(ConfigError):
        require_space(tmp_path, 2.8e6)
    (tmp_path / "checkpoint-5").mkdir()
    (tmp_path / "checkpoint-5" / "optimizer.pt").write_bytes(bytes(1_800_000))
    (tmp_path / "checkpoint-5" / "hilang").symlink_to(tmp_path / "tidak-ada")  # told when checkpoints are looked at
    require_space(tmp_path, 2.8e6)
