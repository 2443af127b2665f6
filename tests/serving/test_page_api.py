"""What the page asks for: settings, ingredients to choose from, recipes for more portions."""

from pathlib import Path

import pytest
from helpers import ORAK, write_csv
from serving_helpers import Parrot, client_of
from starlette.testclient import TestClient

from koki.book.store import Book
from koki.inference.chef import Chef
from koki.recipes.table import read_recipes
from koki.serving.served_run import ServedRun
from koki.serving.service import Service
from koki.tokens.template import ChatTemplate


@pytest.fixture
def soto(book: Book) -> str:
    """The id of the soto's recipe."""
    page = book.find("Soto Ayam")
    assert page is not None
    return page.recipe.id


def test_the_settings_have_an_example_of_each_capability_with_dishes_of_the_book(client: TestClient) -> None:
    settings = client.get("/api/settings").json()
    assert (settings["models"], settings["feedback"]) == (["warung"], False)
    examples = settings["examples"]
    assert set(examples) == {"recipe", "simple", "recommendation", "inquiry", "tip"}
    assert "Soto Ayam" in examples["recipe"]
    assert "ayam" in examples["inquiry"]


def test_ingredients_that_begin_with_what_was_typed_come_first_and_the_commonest_of_them_first(
    tmp_path: Path, parrot: Parrot, template: ChatTemplate
) -> None:
    dishes = {"A": "tahu--santan", "B": "Tahu--tauge", "C": "cabe rawit--tomat", "D": "cabai rawit--garam"}
    rows = [ORAK | {"Title": title, "Ingredients": lines} for title, lines in dishes.items()]
    Book.write(tmp_path / "book.sqlite", read_recipes(write_csv(tmp_path / "resep.csv", rows)))
    with Book.open(tmp_path / "book.sqlite", write=True) as book:
        client = client_of(Service({"a": ServedRun("a", tmp_path, Chef(parrot, template, book))}))

        def typed(text: str, **more: str) -> list[str]:
            found: list[str] = client.get("/api/ingredients", params={"q": text, **more}).json()["ingredients"]
            return found

        assert typed("ta") == ["tahu", "tauge", "santan"]
        assert typed("TA", limit="1") == ["tahu"]
        assert len(typed("cabe")) == 1  # one thing in two spellings
        assert "garam" not in typed("")
        assert typed("zzz") == []
        book.remove("A")
        assert typed("santan") == []


def test_a_recipe_is_multiplied_by_program(client: TestClient, soto: str) -> None:
    once = client.get(f"/api/recipes/{soto}").json()
    assert (once["name"], once["times"], once["ingredients"][1]["line"]) == (
        "Soto Ayam",
        "1",
        "2 batang serai, memarkan",
    )
    for asked in ("times=5/2", "times=2.5", "portions=10"):
        more = client.get(f"/api/recipes/{soto}?{asked}").json()
        assert (more["times"], more["ingredients"][1]["line"]) == ("5/2", "5 batang serai, memarkan")
    heading = next(item for item in once["ingredients"] if item["heading"])
    assert heading == {"line": "Bumbu halus:", "heading": True, "name": ""}


@pytest.mark.parametrize(
    "asked",
    ["times=0", "times=-1", "times=1e9999999", "times=1/0", "times=x", "portions=0", "portions=100000", "times="],
)
def test_it_is_not_multiplied_by_what_is_no_number_of_times(client: TestClient, soto: str, asked: str) -> None:
    assert client.get(f"/api/recipes/{soto}?{asked}").status_code == 400


def test_what_the_book_does_not_have_is_not_found(client: TestClient) -> None:
    assert client.get("/api/recipes/nothing").json()["error"]["code"] == "not_found"
    assert client.get("/api/recipes/x", params={"model": "lain"}).json()["error"]["code"] == "model_not_found"


def test_a_chef_without_a_book_has_neither_recipes_nor_ingredients(
    parrot: Parrot, template: ChatTemplate, tmp_path: Path
) -> None:
    client = client_of(Service({"a": ServedRun("a", tmp_path, Chef(parrot, template))}))
    assert client.get("/api/ingredients?q=a").json() == {"ingredients": []}
    assert client.get("/api/recipes/x").status_code == 404
    assert set(client.get("/api/settings").json()["examples"]) == {"tip"}
