"""CONTRIBUTING.md names files and commands that there are."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1]
TEXT = (FOLDER / "CONTRIBUTING.md").read_text("utf-8")
CODE = [word for code in re.findall(r"`([^`]+)`", TEXT) for word in re.split(r"[\s=]+", code)]


def paths() -> Iterator[str]:
    """The files and folders that are named, from the root of the project, and links to files."""
    yield from (word for word in CODE if "/" in word and not word.startswith(".venv"))
    yield from (word for word in CODE if re.fullmatch(r"\w[\w.]*\.(lock|md|py|toml)", word) and word != "__init__.py")
    yield from re.findall(r"\]\((?!https?:)([^)]+)\)", TEXT)


@pytest.mark.parametrize("path", sorted(set(paths())))
def test_every_path_it_names_exists(path: str) -> None:
    assert (FOLDER / path).exists()


def test_every_target_of_make_it_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (FOLDER / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)", TEXT))
    assert named
    assert named <= targets
