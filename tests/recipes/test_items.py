"""What a cell means: where one ingredient ends and the next begins, and where a step."""

import csv
import io
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.recipes.cleaning import clean_steps, clean_title, ingredient_lines
from koki.recipes.items import ingredient_items, step_items
from koki.recipes.recipe import Recipe
from koki.recipes.table import read_recipes

CASES = Path(__file__).parents[3] / "shared" / "data" / "cases"


def read(folder: Path, rows: list[tuple[str, str, str]]) -> Sequence[Recipe]:
    """The recipes of a file with these titles, ingredients and steps."""
    text = io.StringIO()
    csv.writer(text).writerows([("Title", "Ingredients", "Steps"), *rows])
    (folder / "resep.csv").write_text(text.getvalue(), "utf-8", newline="")
    return read_recipes(folder / "resep.csv")


def raw_lines(recipe: Recipe) -> list[str]:
    return [item.raw for item in recipe.ingredients]


BAYAM = ["1 ikat bayam", "2 siung bawang putih", "1 liter air"]
TAHU = ["4 buah tahu", "1 sdt garam", "200 ml minyak"]

# ------------------------------------------------------------------------------------- lists, escapes, markup


def test_lists_as_text_are_read_item_by_item(tmp_path: Path) -> None:
    steps = str(["Lumuri tahu, lalu diamkan", "Goreng tahu"])
    [recipe] = read(tmp_path, [("Tahu", str(["4 buah tahu, potong dua", *TAHU[1:]]), steps)])
    assert raw_lines(recipe) == ["4 buah tahu, potong dua", *TAHU[1:]]
    assert recipe.steps == ("Lumuri tahu, lalu diamkan", "Goreng tahu")


def test_objects_in_a_list_are_ingredients_under_their_headings(tmp_path: Path) -> None:
    bayam = {"grup": "Bahan Utama", "jumlah": "1 ikat", "bahan": "bayam"}
    bawang = {"grup": "Bumbu", "jumlah": "2 siung", "bahan": "bawang putih"}
    [recipe] = read(tmp_path, [("Sup", str([bayam, bawang]), str(["Didihkan air", "Masukkan bayam"]))])
    assert raw_lines(recipe) == ["Bahan Utama:", "1 ikat bayam", "Bumbu:", "2 siung bawang putih"]
    assert [item.group for item in recipe.ingredients if item.name] == ["bahan utama", "bumbu"]


@pytest.mark.parametrize("end", [r"\r\n", r"\n", r"\r", r"\r\n\r\n", "<br>", "<br />\n", "&lt;br&gt;", "</p><p>"])
def test_line_ends_that_are_written_out_are_line_ends(tmp_path: Path, end: str) -> None:
    steps = ["Lumuri tahu.", "Goreng tahu."]
    [recipe] = read(tmp_path, [("Tahu", end.join(TAHU), end.join(steps))])
    assert raw_lines(recipe) == TAHU
    assert list(recipe.steps) == steps


def test_a_list_in_markup_is_read(tmp_path: Path) -> None:
    listed = "<ul>" + "".join(f"<li><b>{line}</b></li>" for line in TAHU) + "</ul>"
    quoted = "[&quot;Lumuri tahu&quot;,&quot;Goreng tahu&quot;]"
    [recipe] = read(tmp_path, [("Tahu", listed, quoted)])
    assert raw_lines(recipe) == TAHU
    assert recipe.steps == ("Lumuri tahu", "Goreng tahu")


# ---------------------------------------------------------------------------------- ingredients in one line


@pytest.mark.parametrize("between", [", ", ",", " , ", "; ", ";", " | ", " • ", " - ", "\t", " * "])
def test_ingredients_in_one_line_are_separated(between: str) -> None:
    assert ingredient_lines(between.join([*BAYAM, "garam"])) == [*BAYAM, "garam"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("1 ekor ayam,1 ruas jahe, memarkan,garam", ["1 ekor ayam", "1 ruas jahe, memarkan", "garam"]),
        ("1 ekor ayam , potong 8 , 2 siung bawang", ["1 ekor ayam, potong 8", "2 siung bawang"]),
        ("1,5 kg ayam, 2,5 liter air", ["1,5 kg ayam", "2,5 liter air"]),
        ("Bumbu (jahe, kunyit), 1 kg ayam, garam", ["Bumbu (jahe, kunyit)", "1 kg ayam", "garam"]),
        (
            "Bahan ayam, 1 kg ayam, garam, Bumbu halus, 2 cabai",
            ["Bahan ayam", "1 kg ayam", "garam", "Bumbu halus", "2 cabai"],
        ),
        ("Bahan:\n1 kg ayam, 2 cabai, garam", ["Bahan:", "1 kg ayam", "2 cabai", "garam"]),
        ("a. 1 kg ayam b. 2 cabai c. garam", ["1 kg ayam", "2 cabai", "garam"]),
        ("bawang merah, bawang putih, sedikit garam", ["bawang merah", "bawang putih", "sedikit garam"]),
    ],
)
def test_a_comma_separates_only_what_begins_an_ingredient(text: str, lines: list[str]) -> None:
    assert ingredient_lines(text) == lines


@pytest.mark.parametrize(
    "line",
    [
        "1 ruas jahe, memarkan",
        "4 buah tahu, potong dua, goreng",
        "1 kg daging; iris tipis",
        "1 ikan (kakap, nila, mas)",
        "2 - 3 cabai",
    ],
)
def test_one_ingredient_with_its_preparation_stays_one(line: str) -> None:
    assert ingredient_lines(line) == [line]


@pytest.mark.parametrize("between", ["--", "\n"])
def test_commas_of_a_list_that_has_its_separators_separate_nothing(between: str) -> None:
    lines = ["1 kg ayam, 2 cabai, garam", "2 siung bawang, jahe", "garam, gula"]
    assert ingredient_lines(between.join(lines)) == lines


# No points and closing brackets, with which letters and numbers count items: these labels do go.
words = st.text("abdegiklmnoprstu 0123456789;-(", max_size=12).map("x{}".format)
phrases = st.sampled_from(
    ["1 kg ayam", "garam", "iris tipis", "2,5 l air", "bumbu (jahe, kunyit)", "| cabai", "merica;"]
)


@given(st.lists(words | phrases, max_size=8).map(",".join))
def test_no_character_of_an_item_is_lost(text: str) -> None:
    for items in (ingredient_items(text), step_items(text), ingredient_items(text, ",")):
        assert "".join(filter(str.isalnum, "".join(items))) == "".join(filter(str.isalnum, text))


# -------------------------------------------------------------------------------------------------- steps


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("Rebus air. Masukkan bayam. Sajikan.", ["Rebus air.", "Masukkan bayam.", "Sajikan."]),
        ("Rebus air. masukkan bayam! lalu sajikan.", ["Rebus air.", "masukkan bayam!", "lalu sajikan."]),
        ("Rebus air.Masukkan bayam..Sajikan", ["Rebus air.", "Masukkan bayam..", "Sajikan"]),
        ("Rebus air. - Masukkan bayam. - Sajikan", ["Rebus air.", "Masukkan bayam.", "Sajikan"]),
        ("Rebus 5 mnt. lalu angkat. Sajikan", ["Rebus 5 mnt. lalu angkat.", "Sajikan"]),
        ("Rebus 5 mnt. Angkat", ["Rebus 5 mnt.", "Angkat"]),
        ("Rebus air. (Jangan lama.) Sajikan", ["Rebus air. (Jangan lama.)", "Sajikan"]),
        ("Rebus (api kecil. Jangan lama) air", ["Rebus (api kecil. Jangan lama) air"]),
        ("Beri 1.5 l air, kecap, dll. secukupnya", ["Beri 1.5 l air, kecap, dll. secukupnya"]),
        ("a. Rebus air b. Masukkan bayam c. Sajikan", ["Rebus air", "Masukkan bayam", "Sajikan"]),
        ("a. Rebus air.\nb. Masukkan bayam.", ["Rebus air.", "Masukkan bayam."]),
        ("A) Rebus air\nB) Masukkan bayam", ["Rebus air", "Masukkan bayam"]),
        ("1) 1 Rebus air.\n2) 2 Masukkan bayam.", ["Rebus air.", "Masukkan bayam."]),
        ("1. Rebus air., 2. Masukkan bayam., 3. Sajikan", ["Rebus air.", "Masukkan bayam.", "Sajikan"]),
        ("Rebus air; masukkan bayam; sajikan", ["Rebus air", "masukkan bayam", "sajikan"]),
        ("Rebus air | Masukkan bayam", ["Rebus air", "Masukkan bayam"]),
        ("✓ Rebus air ✓ Masukkan bayam", ["Rebus air", "Masukkan bayam"]),
    ],
)
def test_steps_in_one_line_are_separated(text: str, steps: list[str]) -> None:
    assert clean_steps(text) == steps


def test_sentences_of_steps_in_lines_of_their_own_stay_together() -> None:
    steps = ["Rebus air. Masukkan bayam.", "Angkat. Sajikan."]
    assert clean_steps("\n".join(steps)) == steps


def test_numbers_that_do_not_count_the_steps_stay() -> None:
    steps = ["1 jam sebelumnya rendam beras", "3 menit kemudian angkat"]
    assert clean_steps("\n".join(steps)) == steps


# ------------------------------------------------------------------------------ the separator that a user gives


@pytest.mark.parametrize(
    ("separator", "text"),
    [
        (",", "ubi ungu,daun wungu,  ganyong"),
        (" / ", "ubi ungu/daun wungu / ganyong"),
        ("+", "ubi ungu + daun wungu + ganyong"),
    ],
)
def test_a_separator_that_is_given_separates_whatever_it_separates(separator: str, text: str) -> None:
    assert ingredient_lines(text, separator) == ["ubi ungu", "daun wungu", "ganyong"]


def test_a_preparation_behind_a_comma_that_is_given_goes_on_with_its_ingredient() -> None:
    assert ingredient_lines("ganyong, kupas, iris tipis, ubi ungu", ",") == ["ganyong, kupas, iris tipis", "ubi ungu"]


def test_a_field_without_the_separator_that_is_given_is_read_as_ever() -> None:
    assert ingredient_lines("1 kg ayam--garam", ",") == ["1 kg ayam", "garam"]
    assert clean_steps("Rebus air. Sajikan.", "#") == ["Rebus air.", "Sajikan."]


def test_steps_have_a_separator_of_their_own() -> None:
    assert clean_steps("Rebus air, lalu. Masukkan # Sajikan", "#") == ["Rebus air, lalu. Masukkan", "Sajikan"]


# ------------------------------------------------------------------------------------------------- titles


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("117. Ayam Rica", "Ayam Rica"),
        ("#45 Sambal Teri", "Sambal Teri"),
        ("363.Opor Panggang", "Opor Panggang"),
        ("(3) Soto", "Soto"),
        ("12 - Opor", "Opor"),
        ("005 ayam penyet", "ayam penyet"),
        ("No. 12 Soto", "Soto"),
        ("Resep #45 Sambal", "Sambal"),
        ("Resep 12: Soto", "Soto"),
        ("Resep dan Cara Membuat Soto", "Soto"),
        ("3 Bumbu Ayam", "3 Bumbu Ayam"),
        ("2.5 Menit Ayam", "2.5 Menit Ayam"),
        ("100% Sapi", "100% Sapi"),
        ("Resep Bobor Bayam, Sehat, Praktis, dan Lezat", "Bobor Bayam"),
        ("Praktis! Soto Ayam", "Soto Ayam"),
        ("Camilan Lezat dan Gurih : Tempe", "Tempe"),
        ("Soto - Enaaak Banget!!!", "Soto"),
        ("Tumis Kangkung, Pedas", "Tumis Kangkung, Pedas"),
        ("Sapo Terong, Jamur, Daging", "Sapo Terong, Jamur, Daging"),
        ("Soto (simpel, enak)", "Soto (simpel, enak)"),
        ("Enak, Lezat", "Enak, Lezat"),
    ],
)
def test_serial_numbers_and_advertising_are_not_the_dish(written: str, title: str) -> None:
    assert clean_title(written) == title


@given(st.lists(st.sampled_from(["12.", "#3", "Resep", "Soto", "Ayam", ",", "!", "-", "Enak", "dan", "Lezat", ":"])))
def test_a_clean_title_is_clean(words: list[str]) -> None:
    title = clean_title(" ".join(words))
    assert clean_title(title) == title


# ---------------------------------------------------------------------------------------------- the case files


@pytest.mark.skipif(not CASES.is_dir(), reason="the folder of cases (../shared/data/cases) is not here")
@pytest.mark.parametrize(
    ("name", "title", "ingredients", "steps"),
    [
        ("01_python_list.csv", "Sup Bayam", 3, 3),
        ("01_python_list.csv", "Tahu Goreng", 3, 2),
        ("03_list_of_dicts.csv", "Sup Bayam", 3, 2),
        ("03_list_of_dicts.csv", "Tahu Goreng", 2, 2),
        ("04_escaped_crlf.csv", "Sup Bayam", 3, 3),
        ("04_escaped_crlf.csv", "Tahu Goreng", 3, 2),
        ("05_html_br.csv", "Sup Bayam", 3, 3),
        ("05_html_br.csv", "Tahu Goreng", 3, 2),
        ("07_comma_items.csv", "Ayam Kecap", 5, 3),
        ("07_comma_items.csv", "Tahu Bacem", 4, 2),
        ("09_heading_first.csv", "Mi Ayam Rumahan", 5, 3),
        ("12_title_serial.csv", "Ayam Rica", 3, 2),
        ("12_title_serial.csv", "Sambal Teri", 3, 2),
        ("12_title_serial.csv", "Opor Panggang", 3, 2),
        ("13_title_advert.csv", "Bobor Bayam", 3, 2),
        ("14_lettered_steps.csv", "Ayam Kecap", 3, 3),
        ("14_lettered_steps.csv", "Tahu Bacem", 3, 3),
        ("17_json_dicts.jsonl", "Sup Bayam", 2, 2),
    ],
)
def test_the_case_files_are_read_right(name: str, title: str, ingredients: int, steps: int) -> None:
    recipes = {recipe.title: recipe for recipe in read_recipes(CASES / name)}
    recipe = recipes[title]
    assert sum(not item.heading for item in recipe.ingredients) == ingredients
    assert len(recipe.steps) == steps
    assert all(step[0].isupper() and not step.endswith(",") for step in recipe.steps)


def test_a_text_of_points_takes_no_long_time() -> None:
    started = time.process_time()
    assert step_items("a. " * 6_666)
    assert time.process_time() - started < 3
