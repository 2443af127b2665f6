"""Runs on the same base, loaded together: one base in memory, and each chef answers by its own adapter."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from helpers import QUESTIONS
from safetensors.torch import load_file, save_file

from koki.errors import CheckpointError
from koki.inference.chef import Chef
from koki.model.names import WEIGHTS
from koki.pipeline import TrainResult
from koki.serving.served_run import load_runs

pytestmark = pytest.mark.slow
pytest.importorskip("xllamacpp", reason="llama.cpp's wheel (xllamacpp) is not installed")


def copy_of(run: Path, to: Path) -> Path:
    return Path(shutil.copytree(run, to, ignore=shutil.ignore_patterns("checkpoint-*", "gguf")))


@pytest.fixture(scope="module")
def trained(finished_run: TrainResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of(finished_run.folder, tmp_path_factory.mktemp("runs") / "warung")


@pytest.fixture(scope="module")
def unlearned(trained: Path) -> Path:
    """A run whose adapter changes nothing."""
    run = copy_of(trained, trained.parent / "lupa")
    weights = {name: tensor * (".lora_B." not in name) for name, tensor in load_file(run / WEIGHTS).items()}
    save_file(weights, run / WEIGHTS, {"format": "pt"})
    return run


@pytest.fixture(scope="module")
def chefs(trained: Path, unlearned: Path) -> list[Chef]:
    return Chef.load_several([trained, unlearned], engine="llama.cpp")


def answers(chef: Chef) -> list[str]:
    return [answer.answer for answer in chef.ask(QUESTIONS, book=False, max_new_tokens=40)]


def test_each_answers_as_if_it_were_loaded_alone(chefs: list[Chef], trained: Path, unlearned: Path) -> None:
    alone = answers(Chef.load(trained, engine="llama.cpp"))
    untrained = answers(Chef.load(unlearned, engine="llama.cpp", base_only=True))
    assert alone != untrained
    assert [answers(chef) for chef in chefs] == [alone, untrained]


def test_what_is_asked_of_both_at_once_is_not_mixed_up(chefs: list[Chef]) -> None:
    alone = [answers(chef) for chef in chefs]
    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(answers, chefs * 3)) == alone * 3


def test_each_is_named_with_the_base_and_its_adapter(chefs: list[Chef]) -> None:
    assert [chef.engine for chef in chefs] == [
        "llama.cpp, base-f16.gguf with warung-adapter.gguf",
        "llama.cpp, base-f16.gguf with lupa-adapter.gguf",
    ]


def test_with_transformers_each_has_its_own(trained: Path, unlearned: Path) -> None:
    first, second = Chef.load_several([trained, unlearned], engine="transformers")
    assert answers(first) == answers(Chef.load(trained, engine="transformers"))
    assert answers(first) != answers(second)


def test_a_server_loads_its_runs_together(trained: Path, unlearned: Path) -> None:
    runs = load_runs({"warung": trained, "lupa": unlearned}, "llama.cpp")
    assert {name: run.chef.engine.split()[-1] for name, run in runs.items()} == {
        "warung": "warung-adapter.gguf",
        "lupa": "lupa-adapter.gguf",
    }


def test_where_one_cannot_be_loaded_that_is_said_of_it(trained: Path, tmp_path: Path) -> None:
    damaged = copy_of(trained, tmp_path / "rusak")
    (damaged / WEIGHTS).write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="rusak"):
        Chef.load_several([trained, damaged], engine="llama.cpp")
