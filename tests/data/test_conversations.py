"""The conversations of a data set, composed by one process or by two."""

import os
from collections.abc import Sequence
from importlib import resources

import pytest

from koki.config import RunConfig
from koki.data import conversations as groups
from koki.data.conversations import Group, compose
from koki.recipes.recipe import Recipe
from koki.recipes.table import read_recipes


@pytest.fixture(scope="module")
def recipes() -> Sequence[Recipe]:
    return read_recipes(str(resources.files("koki.recipes") / "samples.csv"))


@pytest.fixture(scope="module")
def composed(recipes: Sequence[Recipe]) -> list[Group]:
    assert len(recipes) < groups.WORTH_A_PROCESS
    return list(compose(recipes, RunConfig()))


@pytest.fixture
def always_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if few recipes were worth a second process, on a machine with two cores."""
    monkeypatch.setattr(groups, "WORTH_A_PROCESS", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.mark.slow
@pytest.mark.usefixtures("always_two")
def test_another_process_composes_what_this_one_composes(recipes: Sequence[Recipe], composed: list[Group]) -> None:
    assert list(compose(recipes, RunConfig())) == composed


@pytest.mark.slow
@pytest.mark.usefixtures("always_two")
@pytest.mark.parametrize("python", ["/no/such/python", "/bin/false"])
def test_without_the_other_process_all_is_composed_here(
    recipes: Sequence[Recipe], composed: list[Group], monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    monkeypatch.setattr("sys.executable", python)
    assert list(compose(recipes, RunConfig())) == composed


@pytest.mark.slow
@pytest.mark.usefixtures("always_two")
def test_answers_that_questions_share_are_shared_still(recipes: Sequence[Recipe]) -> None:
    group = next(compose(recipes, RunConfig()))
    assert len({id(conversation.answer) for conversation in group}) < len(group)
