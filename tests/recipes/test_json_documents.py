"""JSON that is not JSON Lines, and the JSON-LD of saved web pages."""

import json
from pathlib import Path
from typing import Any

import pytest

from koki.errors import DataError
from koki.recipes.recipe import Recipe
from koki.recipes.report import DataReport
from koki.recipes.table import read_recipes

SOTO = {"judul": "Soto Ayam", "bahan": ["1 ekor ayam", "2 batang serai"], "langkah": ["Rebus ayam", "Sajikan"]}
SOP = {"judul": "Sop Iga", "bahan": "1 kg iga\n2 buah wortel", "langkah": "Rebus iga"}


def read(folder: Path, content: Any, name: str = "resep.json") -> tuple[list[Recipe], DataReport]:
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content, indent=1), "utf-8")
    recipes = read_recipes(folder / name)
    return list(recipes), recipes.report


def titles(folder: Path, content: Any, name: str = "resep.json") -> list[str]:
    return [recipe.title for recipe in read(folder, content, name)[0]]


@pytest.mark.parametrize(
    "document",
    [
        [SOTO, SOP],
        {"resep": [SOTO, SOP]},
        {"status": "ok", "data": {"halaman": 1, "hasil": [SOTO, SOP]}},
        {"1": SOTO, "2": SOP},
        [{"kategori": "kuah", "isi": [SOTO]}, {"kategori": "sup", "isi": [SOP]}],
        [[SOTO], [SOP]],
    ],
    ids=range(6),
)
@pytest.mark.parametrize("name", ["resep.json", "resep.jsonl", "resep.txt"])
def test_recipes_are_found_wherever_they_stand_in_a_document(tmp_path: Path, document: Any, name: str) -> None:
    if name == "resep.jsonl" and isinstance(document, dict):
        name = "resep"
    assert titles(tmp_path, document, name) == ["Soto Ayam", "Sop Iga"]


def test_one_recipe_may_be_the_whole_document(tmp_path: Path) -> None:
    [recipe], report = read(tmp_path, SOTO)
    assert (recipe.line, report.files[0].encoding) == (1, "UTF-8 (JSON)")


def test_json_lines_may_be_called_json(tmp_path: Path) -> None:
    _, report = read(tmp_path, f"{json.dumps(SOTO)}\n{json.dumps(SOP)}\n")
    assert (report.files[0].encoding, report.rows_kept) == ("UTF-8 (JSON Lines)", 2)


def test_what_stands_among_the_recipes_and_is_none_is_dropped_by_its_number(tmp_path: Path) -> None:
    _, report = read(tmp_path, [SOTO, 7, {"judul": "Sop"}, None, SOP])
    assert [(row.line, row.reason) for row in report.dropped] == [
        (2, "not a JSON object"),
        (3, "ingredients are empty"),
        (4, "not a JSON object"),
    ]


def test_columns_may_be_named_in_a_document_too(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"isi": [{"hidangan apa": "Soto", "belanja": ["ayam", "air"], "lalu": "Rebus ayam"}]}))
    given = {"title": "hidangan apa", "ingredients": "belanja", "steps": "lalu"}
    assert read_recipes(path, columns=given)[0].title == "Soto"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('[{"judul": "Soto",}]', r"resep\.json, line 1, column \d+: this is no JSON"),
        ("[" * 100_000, "is no JSON that holds recipes"),
        ("[" + "1" * 5000 + "]", "is no JSON that holds recipes"),
        ('[{"harga": 1, "barang": "telur"}]', r"no column for title and .*Its header is: harga, barang"),
        ('{"data": [{"harga": 1}]}', r"Its header is: harga"),
        ("[]", r"no column for .*Its header is: \(empty\)"),
        ("7", r"Its header is: \(empty\)"),
    ],
    ids=range(7),
)
def test_a_document_without_recipes_is_an_error_that_says_what_it_has(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read(tmp_path, content)


def test_what_lies_deeper_than_twenty_levels_is_not_looked_for(tmp_path: Path) -> None:
    deep: Any = [SOTO]
    for _ in range(30):
        deep = {"isi": deep}
    with pytest.raises(DataError, match="no column"):
        read(tmp_path, deep)


# ---------------------------------------------------------------------------------------------------------- schema.org

STEP = {"@type": "HowToStep", "name": "Rebus", "text": "Rebus ayam sampai empuk", "url": "https://contoh.id/#1"}
SECTION = {
    "@type": "HowToSection",
    "name": "Kuah",
    "itemListElement": [STEP, {"@type": "HowToStep", "text": "Sajikan"}],
}
SOUP = {"@type": "Recipe", "name": "Sop Iga", "recipeIngredient": ["1 kg iga", "2 buah wortel"]}
OPOR = {"@type": "Recipe", "name": "Opor Ayam", "recipeIngredient": ["1 ekor ayam", "500 ml santan"]}


@pytest.mark.parametrize(
    ("instructions", "steps"),
    [
        ("Rebus ayam\nSajikan", ("Rebus ayam", "Sajikan")),
        (["Rebus ayam", "Sajikan"], ("Rebus ayam", "Sajikan")),
        ([STEP], ("Rebus ayam sampai empuk",)),
        (STEP, ("Rebus ayam sampai empuk",)),
        ([SECTION], ("Kuah:", "Rebus ayam sampai empuk", "Sajikan")),
        ({"@type": "ItemList", "itemListElement": [STEP]}, ("Rebus ayam sampai empuk",)),
        ([[{"@type": "HowToStep", "name": "Rebus ayam"}]], ("Rebus ayam",)),
    ],
    ids=range(7),
)
def test_instructions_are_text_a_list_steps_or_sections(tmp_path: Path, instructions: Any, steps: tuple[str]) -> None:
    [recipe], _ = read(tmp_path, {"@context": "https://schema.org", **OPOR, "recipeInstructions": instructions})
    assert recipe.title == "Opor Ayam"
    assert [item.raw for item in recipe.ingredients] == ["1 ekor ayam", "500 ml santan"]
    assert recipe.steps == steps


def test_of_a_graph_only_the_recipes_are_rows(tmp_path: Path) -> None:
    recipe = {**OPOR, "@type": ["Recipe", "NewsArticle"], "recipeInstructions": [STEP]}
    graph = {"@graph": [{"@type": "WebSite", "name": "Dapur"}, recipe, {"@type": "Person", "name": "Ibu"}]}
    _, report = read(tmp_path, graph)
    assert (report.rows_read, report.rows_kept) == (1, 1)


def page(*scripts: str) -> str:
    return "<!DOCTYPE html>\n<html><head>" + "".join(
        f'<script type="application/ld+json">{script}</script>\n<script>var x = "<p>";</script>' for script in scripts
    )


def test_a_saved_web_page_has_its_recipes_in_scripts(tmp_path: Path) -> None:
    recipe = {**OPOR, "recipeInstructions": [STEP]}
    # a line end within a text, as sites write it
    broken = json.dumps({**SOUP, "recipeInstructions": ["Rebus iga", STEP]}).replace("Sop Iga", "Sop\nIga")
    texts = page("{not JSON", json.dumps({"@graph": [recipe]}), "\n" + json.dumps([{"@type": "WebPage"}]), broken)
    recipes, report = read(tmp_path, texts, "opor.html")
    assert [recipe.title for recipe in recipes] == ["Opor Ayam", "Sop Iga"]
    assert report.files[0].encoding == "UTF-8 (web page)"


@pytest.mark.parametrize("content", [page(), page("{}"), page('{"@type": "WebPage"}'), "<html><script ld+json>{"])
def test_a_web_page_without_recipes_is_an_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match=r"is a web page without data of a recipe"):
        read(tmp_path, content, "opor.html")
