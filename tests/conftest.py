"""Fixtures that several tests share: small real data, and one short real run."""

import gc
import io
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

# Before torch is imported, which reads them then: several processes whose threads wait for each other in a loop would
# slow each other down tenfold. The processes that tests start have them from here too.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# The cores have tests to run; a test of several workers says how many.
os.environ.setdefault("KOKI_WORKERS", "1")
# Whatever the locale of this machine is, texts are compared in English; a test that wants another language says so.
os.environ["KOKI_LANGUAGE"] = "en"

import pytest
from helpers import ORAK, SHARED_DATA, SOTO, TELUR, config_of_short_run, write_csv
from hub import NOBODY, use_hub, write_newer_base
from hypothesis import settings
from rich.console import Console

from koki import language
from koki.config import RunConfig

if TYPE_CHECKING:  # what imports torch is imported by what needs it, so that tests that need none start at once
    from koki.pipeline import TrainResult

# A property is no stopwatch: on a machine that does other work a deadline fails what is right.
settings.register_profile("koki", deadline=None)
settings.load_profile("koki")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with many slow tests come first, so that no core is left with one at the end while the others wait."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


def pytest_collection_finish() -> None:
    """All that is imported stays: who looks for cycles, as each run does, need not look there again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """A shell in the background has the suite ignore SIGINT, nohup SIGHUP; and Koki leaves ignored what is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):  # Windows has none
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The user's own cache is not for tests, nor for the processes they start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KOKI_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recipes, which is not part of the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder of real recipes is not beside this checkout")
    return SHARED_DATA


@pytest.fixture(scope="session")
def recipe_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small recipes."""
    return write_csv(tmp_path_factory.mktemp("data") / "resep.csv", [SOTO, ORAK, TELUR])


@pytest.fixture
def indonesian() -> Iterator[None]:
    """A user who reads Indonesian."""
    language.choose("id")
    yield
    language.choose("en")


@pytest.fixture
def console() -> Console:
    """A console that is not a terminal; `console.file.getvalue()` is what was printed."""
    return Console(file=io.StringIO(), width=200)


@pytest.fixture(scope="session")
def small_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base that ships with two of its six layers: it answers less well, in half of the time."""
    from torch_helpers import write_small_base

    return write_small_base(tmp_path_factory.mktemp("bases") / "kecil")


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the Hugging Face hub's library, nobody logged in, and a hub that cannot be reached."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    use_hub(NOBODY, monkeypatch)
    return tmp_path / "hub"


@pytest.fixture
def newer_base(small_base: Path, tmp_path: Path) -> Path:
    """A later commit of the small base."""
    return write_newer_base(small_base, tmp_path / "baru")


@pytest.fixture
def short_config(recipe_csv: Path, tmp_path: Path) -> Callable[..., RunConfig]:
    """A run of twelve steps on three recipes; settings are given as key=value texts."""

    def make(*assignments: str, output: Path | None = None) -> RunConfig:
        return config_of_short_run("mini", recipe_csv, output or tmp_path / "run", *assignments)

    return make


@pytest.fixture(scope="session")
def finished_run(recipe_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> "TrainResult":
    """A finished run of twelve steps; read it, do not change it."""

    from koki.pipeline import train

    output = tmp_path_factory.mktemp("runs") / "selesai"
    return train(config_of_short_run("mini", recipe_csv, output), Console(quiet=True))
