"""Tables with one ingredient, or one step, a row."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workbooks import Cell, xlsx

from koki.errors import DataError
from koki.recipes.findings import Oddity
from koki.recipes.formats import Row, Table
from koki.recipes.item_rows import is_item_a_row, put_together
from koki.recipes.recipe import Recipe
from koki.recipes.report import DataReport
from koki.recipes.table import read_recipes


def read(folder: Path, *lines: str) -> tuple[list[Recipe], DataReport]:
    (folder / "r.csv").write_text("\n".join(lines) + "\n")
    recipes = read_recipes(folder / "r.csv")
    return list(recipes), recipes.report


def shape(recipes: Sequence[Recipe]) -> list[tuple[str, list[str], tuple[str, ...]]]:
    return [(it.title, [item.raw for item in it.ingredients], it.steps) for it in recipes]


WANTED = [
    ("Soto", ["1 ekor ayam", "2 batang serai", "garam"], ("Rebus ayam", "Tumis bumbu")),
    ("Sop", ["1 kg iga", "wortel"], ("Rebus iga",)),
]


def test_the_title_may_stand_in_the_first_row_of_a_recipe(tmp_path: Path) -> None:
    rows = [
        "Soto,1 ekor ayam,Rebus ayam",
        ",2 batang serai,Tumis bumbu",
        ",garam,",
        "Sop,1 kg iga,Rebus iga",
        ",wortel,",
    ]
    recipes, report = read(tmp_path, "judul,bahan,langkah", *rows)
    assert shape(recipes) == WANTED
    assert [recipe.line for recipe in recipes] == [2, 5]
    [warning] = report.files[0].warnings
    assert (warning.oddity, warning.lines) == (Oddity.ITEM_A_ROW, [2, 5])


def test_the_title_may_be_repeated_and_so_may_the_steps(tmp_path: Path) -> None:
    rows = [f"Soto,{item},Rebus ayam--Tumis bumbu" for item in WANTED[0][1]]
    rows += [f"{title},{item},Rebus iga" for title, item in [("Sop", "1 kg iga"), (" sop", "wortel")]]
    recipes, report = read(tmp_path, "judul,bahan,langkah", *rows)
    assert shape(recipes) == WANTED
    assert (report.rows_read, report.rows_kept) == (2, 2)


def test_a_title_may_stand_above_its_rows(tmp_path: Path) -> None:
    rows = [
        "Soto,,",
        ",1 ekor ayam,Rebus ayam",
        ",2 batang serai,Tumis bumbu",
        ",garam,",
        "Sop,,",
        ",1 kg iga,Rebus iga",
        ",wortel,",
    ]
    assert shape(read(tmp_path, "judul,bahan,langkah", *rows)[0]) == WANTED


def test_one_step_a_row_may_stand_beside_a_whole_list_of_ingredients(tmp_path: Path) -> None:
    rows = ["Soto,1 ekor ayam--2 batang serai--garam,Rebus ayam", ",,Tumis bumbu", "Sop,1 kg iga--wortel,Rebus iga"]
    rows += ["Opor,ayam--santan,Rebus ayam", ",,Tuang santan", ",,Aduk", ",,Sajikan hangat"]
    assert shape(read(tmp_path, "judul,bahan,langkah", *rows)[0])[:2] == WANTED


def test_amount_and_unit_may_have_columns_of_their_own(tmp_path: Path) -> None:
    rows = [
        "Soto,ayam,1,ekor,Rebus ayam",
        ",serai,2,batang,Tumis bumbu",
        ",garam,,,",
        "Sop,iga,1,kg,Rebus iga",
        ",wortel,,,",
    ]
    recipes, report = read(tmp_path, "judul,bahan,jumlah,satuan,langkah", *rows)
    assert shape(recipes) == WANTED
    assert report.files[0].columns["unit"] == "satuan"


def test_merged_cells_are_one_title(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [
        ["judul", "bahan", "langkah"],
        ["Soto", "1 ekor ayam", "Rebus ayam"],
        [None, "2 batang serai", "Tumis bumbu"],
        [None, "garam", None],
        ["Sop", "1 kg iga", "Rebus iga"],
        [None, "wortel", None],
    ]
    (tmp_path / "r.xlsx").write_bytes(xlsx({"M": rows}, merged=["A2:A4", "A5:A6"]))
    assert shape(read_recipes(tmp_path / "r.xlsx")) == WANTED


def test_an_amount_in_a_table_of_whole_recipes_is_ignored(tmp_path: Path) -> None:
    [recipe], report = read(tmp_path, "judul,bahan,jumlah,langkah", "Soto,ayam--serai,12,Rebus ayam")
    assert shape([recipe]) == [("Soto", ["ayam", "serai"], ("Rebus ayam",))]
    assert report.files[0].ignored == ["jumlah"]


def test_whole_recipes_of_one_name_are_not_put_together(tmp_path: Path) -> None:
    rows = [f"Soto,{number} ekor ayam--{number} batang serai,Rebus ayam {number} jam" for number in range(1, 9)]
    assert read(tmp_path, "judul,bahan,langkah", *rows)[1].rows_read == 8
    quoted = [f'Soto,"{n} ekor ayam, {n} batang serai, garam, gula",Rebus ayam {n} jam' for n in range(1, 9)]
    assert read(tmp_path, "judul,bahan,langkah", *quoted, "Sop,ayam--air,Rebus ayam")[1].rows_read == 9


def test_rows_without_any_title_are_no_recipe_and_the_error_asks_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        read(tmp_path, "judul,bahan,langkah", *[f",bahan {number},Rebus" for number in range(27)])
    assert "27 rows without a title: is this one ingredient a row?" in raised.value.how


def test_rows_with_one_ingredient_each_are_asked_about_too(tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        read(tmp_path, "judul,bahan,langkah", *[f"Soto {number},bahan {number},Rebus ayam" for number in range(9)])
    assert "9 rows with one ingredient" in raised.value.how


cells = st.sampled_from(["", "Soto", "Sop", "1 ekor ayam", "garam", "ayam--air", "Rebus ayam"])


@given(st.lists(st.tuples(cells, cells, cells), max_size=12))
def test_no_cell_of_such_a_table_is_lost(rows: list[tuple[str, str, str]]) -> None:
    names = ("title", "ingredients", "steps")
    made = [Row(number, dict(zip(names, row, strict=True))) for number, row in enumerate(rows, 2)]
    table = Table("UTF-8", ",", [*names], {name: place for place, name in enumerate(names)}, iter(made))
    put = list(put_together(table).rows)
    if not is_item_a_row(made):
        assert put == made
    for name in names:
        said = {row.fields.get(name, "") for row in made} - {""}
        assert {text for row in put for text in row.fields.get(name, "").split("\n")} - {""} == said


def test_whole_recipes_of_one_title_stay_apart(tmp_path: Path) -> None:
    rows = [("Soto", "ayam, garam"), ("Soto", "sapi, garam"), ("Soto", "babat, garam"), ("Rawon", "sapi, kluwek")]
    lines = [f'{title},"{things}",Rebus {things.split(",")[0]} sampai empuk.' for title, things in rows]
    (tmp_path / "r.csv").write_text("judul,bahan,langkah\n" + "\n".join(lines), "utf-8")
    assert [recipe.title for recipe in read_recipes(tmp_path / "r.csv")] == ["Soto", "Soto", "Soto", "Rawon"]
