"""Recipes and conversations as rows for other programs."""

import json
import sys
from pathlib import Path

import pytest
from helpers import SOTO, TELUR, write_csv

from koki.config import load_config
from koki.data.training_conversations import conversations
from koki.errors import KokiError
from koki.recipes.sequence import Recipes
from koki.recipes.table import read_recipes


@pytest.fixture
def recipes(tmp_path: Path) -> Recipes:
    return read_recipes(write_csv(tmp_path / "resep.csv", [SOTO, TELUR, TELUR]))


def test_recipes_are_a_sequence_that_knows_what_became_of_the_rows(recipes: Recipes) -> None:
    assert len(recipes) == 2
    assert [recipe.title for recipe in recipes] == ["Soto Ayam", "Telur Dadar"]
    assert recipes[-1] is recipes[1:][0]
    assert recipes.report.duplicates == 1
    assert repr(recipes).startswith("<2 recipes of 3 rows in ")


def test_a_recipe_is_a_row_that_json_takes(recipes: Recipes) -> None:
    row = json.loads(json.dumps(recipes.to_dicts()))[1]
    assert (row["title"], row["line"]) == ("Telur Dadar", 3)
    assert row["ingredients"] == TELUR["Ingredients"].split("--")
    assert row["main_ingredients"] == ["telur", "daun bawang", "tomat"]


def test_without_pandas_it_is_said_how_to_have_it(recipes: Recipes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(KokiError, match="pip install pandas"):
        recipes.to_pandas()


@pytest.mark.slow
def test_with_pandas_a_table_has_a_row_for_each_recipe(recipes: Recipes) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    table = recipes.to_pandas()
    assert list(table["title"]) == ["Soto Ayam", "Telur Dadar"]
    assert table.loc[1, "ingredients"] == TELUR["Ingredients"].split("--")


def test_conversations_are_those_that_are_trained_on(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "resep.csv", [SOTO, TELUR])
    own = {"data.tips": False, "data.refusals": False}
    found = conversations(load_config(settings={"model.name": "mini", "data.files": [file]} | own))
    assert len(found) == len(found.to_dicts()) > 80
    assert found[0].kind == "standard"
    assert "- 2 batang serai, memarkan" in found[0].answer
    assert found[-1] == found[len(found) - 1] == found[-1:][0]
    assert set(found.to_dicts()[0]) == {"kind", "question", "answer"}
    assert "Koki" in found.system
