"""`koki plan` of a base by name, without a network."""

import json
from pathlib import Path

import pytest
from bases import write_base
from commands import koki_here
from hub import OLD, fill_cache

from koki.model.source import ALIASES


def test_a_base_by_name_is_planned_from_its_small_files_in_the_cache(
    hub_cache: Path, tmp_path: Path, recipe_csv: Path
) -> None:
    fill_cache(hub_cache, write_base("sailor2-1b", tmp_path / "base"), OLD, ALIASES["sailor2-1b"])
    ended = koki_here("plan", "--model", "sailor2-1b", "--data", str(recipe_csv), "--max-steps", "10", "--json")
    assert json.loads(ended.stdout)["memory"] > 4 * 988e6  # its weights in float32, which are not there


@pytest.mark.usefixtures("hub_cache")
def test_of_a_base_that_is_not_in_the_cache_the_error_says_how_to_go_on(recipe_csv: Path) -> None:
    ended = koki_here("plan", "--model", "sailor2-1b", "--data", str(recipe_csv))
    assert ended.returncode == 1
    assert "Model sail/Sailor2-1B-Chat is not in the local cache" in ended.stderr
    assert "--model mini" in ended.stderr
