"""`koki data build`: on one machine, or in shards that are joined."""

from pathlib import Path

import pytest
from commands import koki_here

SHARD = "1/1"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOKI_CACHE", str(tmp_path / "cache"))


def entries(folder: Path) -> list[str]:
    return [path.name for path in (folder / "cache" / "tokens").iterdir()]


def test_what_was_built_is_kept_for_a_run(recipe_csv: Path, tmp_path: Path) -> None:
    run = koki_here("data", "build", "--data", str(recipe_csv), "--model", "mini")
    assert (run.returncode, len(entries(tmp_path))) == (0, 1)
    assert "conversations, which `koki train` with these settings finds" in run.stdout
    assert "recipes" in run.stderr or "rows" in run.stderr


def test_shards_that_are_joined_are_what_is_built_at_once(
    recipe_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = koki_here("data", "build", "--data", str(recipe_csv), "--model", "mini").stdout
    (name,) = entries(tmp_path)
    monkeypatch.setenv("KOKI_CACHE", str(tmp_path / "another" / "cache"))
    given = ("data", "build", "--data", str(recipe_csv), "--model", "mini", "--output", str(tmp_path / "parts"))
    said = [koki_here(*given, "--shard", f"{number}/2").stdout for number in (1, 2)]
    assert said == [f"Shard {number}/2: 1 parts in {tmp_path / 'parts'}\n" for number in (1, 2)]
    assert koki_here(*given, "--merge").stdout == at_once
    assert entries(tmp_path / "another") == [name]


@pytest.mark.parametrize(
    "options", [("--output", "a"), ("--shard", SHARD), ("--merge",), ("--output", "a", "--shard", SHARD, "--merge")]
)
def test_a_folder_belongs_to_a_shard_or_to_joining_them(options: tuple[str, ...], recipe_csv: Path) -> None:
    run = koki_here("data", "build", "--data", str(recipe_csv), *options)
    assert run.returncode == 1
    assert "--output belongs to --shard or --merge" in run.stderr


def test_shards_that_were_not_built_cannot_be_joined(recipe_csv: Path, tmp_path: Path) -> None:
    run = koki_here(
        "data", "build", "--data", str(recipe_csv), "--model", "mini", "--output", str(tmp_path / "x"), "--merge"
    )
    assert run.returncode == 1
    assert "Build all shards with the same recipes, model and settings" in run.stderr
