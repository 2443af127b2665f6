"""Recipes in plain text, as in a document or a chat."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.errors import DataError
from koki.recipes.findings import Oddity
from koki.recipes.plain_text import text_recipes
from koki.recipes.recipe import Recipe
from koki.recipes.report import DataReport
from koki.recipes.table import read_recipes

SOTO = "Soto Ayam\n\nBahan:\n1 ekor ayam\n2 batang serai\n\nCara membuat:\n1. Rebus ayam\n2. Sajikan\n"
SOP = "Sop Iga\n\nBahan:\n1 kg iga\n2 buah wortel\n\nCara membuat:\n1. Rebus iga\n2. Masukkan wortel\n"


def read(folder: Path, text: str, name: str = "resep.txt") -> tuple[list[Recipe], DataReport]:
    (folder / name).write_text(text, "utf-8")
    recipes = read_recipes(folder / name)
    return list(recipes), recipes.report


def shape(recipe: Recipe) -> tuple[str, list[str], tuple[str, ...]]:
    return recipe.title, [item.raw for item in recipe.ingredients], recipe.steps


SOTO_READ = ("Soto Ayam", ["1 ekor ayam", "2 batang serai"], ("Rebus ayam", "Sajikan"))
SOP_READ = ("Sop Iga", ["1 kg iga", "2 buah wortel"], ("Rebus iga", "Masukkan wortel"))


@pytest.mark.parametrize("name", ["resep.txt", "resep", "resep.md", "resep.csv"])
@pytest.mark.parametrize("between", ["", "\n", "\n\n\n", "\n---\n\n"])
def test_recipes_stand_one_after_another(tmp_path: Path, name: str, between: str) -> None:
    recipes, report = read(tmp_path, SOTO + between + SOP, name)
    assert list(map(shape, recipes)) == [SOTO_READ, SOP_READ]
    assert recipes[1].line == 10 + between.count("\n")
    assert report.files[0].encoding == "UTF-8 (text)"


@pytest.mark.parametrize(
    ("ingredients", "steps"),
    [
        ("Bahan", "Cara Membuat"),
        ("BAHAN-BAHAN :", "LANGKAH-LANGKAH :"),
        ("*Bahan:*", "*Cara membuat:*"),
        ("🛒 Bahan2:", "👩‍🍳 Cara Masak"),
        ("## Bahan", "## Langkah"),
        ("A. Bahan", "B. Cara Pembuatan"),
        ("1. Bahan-bahan:", "2. Langkah-langkah:"),
        ("Bahan (4 porsi):", "Cara buat :"),
        ("Bahan untuk 4 porsi:", "Cara membuat soto:"),
        ("Bahan yang dibutuhkan:", "Instruksi"),
        ("Ingredients", "Directions:"),
    ],
)
def test_headings_are_written_in_many_ways(tmp_path: Path, ingredients: str, steps: str) -> None:
    text = SOTO.replace("Bahan:", ingredients).replace("Cara membuat:", steps)
    [recipe], _ = read(tmp_path, text)
    assert shape(recipe) == SOTO_READ


@pytest.mark.parametrize(
    "title",
    [
        "*Soto Ayam*",
        "Resep Soto Ayam",
        "Judul: Soto Ayam",
        "Nama Resep : Soto Ayam",
        "# Soto Ayam",
        "🍲 *SOTO AYAM* 🍲",
        "Soto Ayam\nUntuk 4 porsi",
        "Soto Ayam\n\nPorsi: 4\nWaktu: 30 menit",
        "*Soto Ayam*\n\nResep turun-temurun dari nenek, selalu habis.",
    ],
)
def test_a_title_is_told_from_what_stands_around_it(tmp_path: Path, title: str) -> None:
    recipes, _ = read(tmp_path, SOP + "\n" + SOTO.replace("Soto Ayam", title))
    assert [recipe.title for recipe in recipes] == ["Sop Iga", "Soto Ayam"]
    assert shape(recipes[0])[2] == SOP_READ[2]


def test_steps_need_no_numbers(tmp_path: Path) -> None:
    text = (SOTO + "\n" + SOP).replace("1. ", "").replace("2. ", "")
    assert list(map(shape, read(tmp_path, text)[0])) == [SOTO_READ, SOP_READ]


def test_headings_within_the_ingredients_stay_there(tmp_path: Path) -> None:
    parts = "Bahan kuah:\n1 ekor ayam\nBumbu:\n6 siung bawang merah\nBumbu halus:\n2 ruas kunyit"
    [recipe], _ = read(tmp_path, SOTO.replace("Bahan:\n1 ekor ayam\n2 batang serai", parts))
    assert [item.raw for item in recipe.ingredients if item.heading] == ["Bahan kuah:", "Bumbu:", "Bumbu halus:"]
    assert len(recipe.ingredients) == 6


def test_a_heading_may_have_its_content_beside_it(tmp_path: Path) -> None:
    [recipe], _ = read(tmp_path, "Soto\nBahan: ayam\nserai\nCara: Rebus ayam sampai empuk\n")
    assert shape(recipe) == ("Soto", ["ayam", "serai"], ("Rebus ayam sampai empuk",))


def test_numbers_may_be_emoji(tmp_path: Path) -> None:
    [recipe], _ = read(tmp_path, SOTO.replace("1. ", "1️⃣ ").replace("2. ", "2️⃣ "))
    assert shape(recipe) == SOTO_READ


def test_a_recipe_without_steps_is_dropped_with_its_line(tmp_path: Path) -> None:
    _, report = read(tmp_path, SOTO + "\nSop Iga\n\nBahan:\n1 kg iga\nwortel\n")
    assert [(row.line, row.title, row.reason) for row in report.dropped] == [(11, "Sop Iga", "steps are empty")]


def test_text_that_belongs_to_no_recipe_is_told(tmp_path: Path) -> None:
    _, report = read(tmp_path, "KUMPULAN RESEP\n\nSelamat membaca.\n\n" + SOTO)
    assert [(it.oddity, it.lines) for it in report.files[0].warnings] == [(Oddity.TEXT_BETWEEN, [5])]


# ----------------------------------------------------------------------------------------------------------------- chat


@pytest.mark.parametrize(
    "stamp",
    [
        "12/03/24 10.15 - {}: ",
        "[12/03/24 10.15.20] {}: ",
        "3/12/24, 10:15 AM - {}: ",
        "\u200e[12/03/2024, 10:15:20 pm] {}: ",
        "12-03-2024 pukul 10.15 - {}: ",
    ],
)
def test_an_exported_chat_has_recipes_between_its_messages(tmp_path: Path, stamp: str) -> None:
    ibu, budi = stamp.format("Ibu"), stamp.format("+62 812-3456")
    text = (
        f"{stamp.removesuffix('{}: ')}Pesan ini terenkripsi.\n{budi}Bu, minta resepnya\n{ibu}{SOTO}{budi}Makasih bu!\n"
        f"{ibu}<Media tidak disertakan>\n{ibu}{SOP}{budi}Siap"
    )
    recipes, report = read(tmp_path, text)
    assert list(map(shape, recipes)) == [SOTO_READ, SOP_READ]
    assert report.files[0].warnings[0].oddity == Oddity.TEXT_BETWEEN


def test_a_recipe_may_stand_in_several_messages(tmp_path: Path) -> None:
    parts = SOTO.strip().split("\n\n")
    text = "\n".join(f"12/03/24 10.{place} - Ibu: {part}" for place, part in enumerate(parts, 10))
    assert shape(read(tmp_path, text)[0][0]) == SOTO_READ


# ------------------------------------------------------------------------------------------------------------ no recipe


def test_a_text_without_headings_is_an_error_that_says_the_form(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a text in which no recipe was found") as raised:
        read(tmp_path, "Soto Ayam enak sekali.\nBesok masak lagi.\n")
    assert "Cara membuat" in raised.value.how


def test_a_table_called_txt_is_a_table(tmp_path: Path) -> None:
    assert read(tmp_path, "Judul\tBahan\tLangkah\nSoto\tayam--air\tRebus ayam\n")[1].files[0].delimiter == "\t"
    with pytest.raises(DataError, match="has no column for steps"):
        read(tmp_path, "Judul\tBahan\nSoto\tayam--air\n")


texts = st.lists(st.sampled_from([*SOTO.split("\n"), *SOP.split("\n"), "*Opor*", "12/03/24 10.15 - Ibu: Bahan:", "x"]))


@given(texts)
def test_every_line_of_a_recipe_is_a_line_of_the_text(lines: list[str]) -> None:
    for recipe in text_recipes(lines):
        for line in (*recipe.ingredients, *recipe.steps):
            assert any(line in text for text in lines)
        assert not recipe.title or recipe.title in lines[recipe.line - 1]
