"""The runs of these tests train two layers of the base that ships, in half of the time."""

from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import config_of_short_run
from rich.console import Console

from koki.config import RunConfig
from koki.pipeline import TrainResult, train


@pytest.fixture
def short_config(small_base: Path, recipe_csv: Path, tmp_path: Path) -> Callable[..., RunConfig]:
    """A run of twelve steps on three recipes; settings are given as key=value texts."""

    def make(*assignments: str, output: Path | None = None) -> RunConfig:
        return config_of_short_run(str(small_base), recipe_csv, output or tmp_path / "run", *assignments)

    return make


@pytest.fixture(scope="session")
def finished_run(small_base: Path, recipe_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    """A finished run of twelve steps; read it, do not change it."""
    output = tmp_path_factory.mktemp("runs") / "selesai"
    return train(config_of_short_run(str(small_base), recipe_csv, output), Console(quiet=True))
