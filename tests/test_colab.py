"""Koki installs into Colab as it is: pip adds what is missing there and replaces nothing."""

import tomllib
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

FOLDER = Path(__file__).parents[1]
PROJECT = tomllib.loads((FOLDER / "pyproject.toml").read_text("utf-8"))["project"]

# Of Colab's machines with a GPU, as its own list has it: pip-freeze.gpu.txt of github.com/googlecolab/backend-info at
# commit 03a89033b7dd106f98e45f7c6090d467134330e8, June 2026. Its wheels are of Python 3.12 for Linux on x86_64.
PYTHON = "3.12"
COLAB = {
    "accelerate": "1.13.0",
    "cloudpickle": "3.1.2",
    "ftfy": None,
    "gguf": None,
    "huggingface-hub": "1.17.0",
    "jinja2": "3.1.6",
    "loky": None,
    "matplotlib": "3.10.0",
    "numpy": "2.0.2",
    "peft": "0.19.1",
    "psutil": "5.9.5",
    "pydantic": "2.12.3",
    "python-calamine": None,
    "pyyaml": "6.0.3",
    "rapidfuzz": None,
    "requests": "2.32.4",
    "rich": "13.9.4",
    "safetensors": "0.7.0",
    "tensorboard": "2.20.0",
    "tokenizers": "0.22.2",
    "torch": "2.11.0+cu128",
    "tqdm": "4.67.3",
    "transformers": "5.9.0",
    "typer": "0.25.1",
    "wcwidth": "0.7.0",
    "xllamacpp": None,
}
"""Package -> the version that is there; None where there is none."""


def wanted(lines: list[str]) -> Iterator[Requirement]:
    """The requirements that count on Colab, without extras."""
    for requirement in map(Requirement, lines):
        machine = {"python_version": PYTHON, "platform_machine": "x86_64", "sys_platform": "linux", "extra": ""}
        if requirement.marker is None or requirement.marker.evaluate(machine):
            yield requirement


NEEDED = list(wanted(PROJECT["dependencies"]))
ADDED = [it.name for it in NEEDED if COLAB[canonicalize_name(it.name)] is None]
NEEDED_BY_ADDED = [it for name in ADDED for it in wanted(requires(name) or [])]


def test_koki_runs_on_its_python() -> None:
    assert Version(PYTHON) in SpecifierSet(PROJECT["requires-python"])


@pytest.mark.parametrize("requirement", NEEDED + NEEDED_BY_ADDED, ids=str)
def test_what_is_there_is_new_enough_for_koki_and_for_what_it_adds(requirement: Requirement) -> None:
    there = COLAB[canonicalize_name(requirement.name)]
    assert there is None or Version(there) in requirement.specifier


def test_what_it_adds_is_as_the_page_about_colab_says() -> None:
    page = (FOLDER / "docs" / "colab.md").read_text("utf-8")
    assert f"({', '.join(ADDED)})" in page
