"""Ingredients as one speaks of them."""

from pathlib import Path

import pytest
from helpers import SOTO, write_csv
from hypothesis import given
from hypothesis import strategies as st

from koki.book.kitchen import inquiry_subjects, kitchen_name, kitchen_names
from koki.recipes.recipe import Recipe
from koki.recipes.table import read_recipes


def read(folder: Path, ingredients: str) -> Recipe:
    return read_recipes(write_csv(folder / "r.csv", [SOTO | {"Ingredients": ingredients}]))[0]


@pytest.mark.parametrize("name", ["tempe", "telor ayam", "cabe rawit merah", "ayam kampung", "daging sapi has dalam"])
def test_a_name_of_known_words_is_said_as_the_cook_spells_it(name: str) -> None:
    assert kitchen_name(name) == name


@pytest.mark.parametrize(
    ("name", "said"),
    [("tempe skcpnya", "tempe"), ("keju quick melt sebanyak", "keju"), ("dada ayam dagingny", "dada ayam")],
)
def test_what_no_kitchen_knows_is_left_out_at_the_end(name: str, said: str) -> None:
    assert kitchen_name(name) == said


@pytest.mark.parametrize("name", ["cinta", "kulkas", "ladah", "", "😋", "daun solong"])
def test_what_names_no_food_has_no_kitchen_name(name: str) -> None:
    assert kitchen_name(name) is None


def test_a_name_is_never_cut_to_another_thing() -> None:
    assert kitchen_name("kuning telur asin") == "kuning telur asin"
    assert kitchen_name("tepung kentucky xyz") is None  # a "tepung" by itself is tepung terigu


@given(st.text(max_size=40))
def test_a_kitchen_name_is_the_beginning_of_the_name(name: str) -> None:
    said = kitchen_name(name)
    assert said is None or name.split()[: len(said.split())] == said.split()


@pytest.mark.parametrize(
    "seasoning",
    ["daun salam", "oregano", "lada", "serai", "susu cair", "sambal terasi", "air kelapa", "daun bawang prei"],
)
def test_nobody_asks_what_to_cook_with_a_seasoning(tmp_path: Path, seasoning: str) -> None:
    assert inquiry_subjects(read(tmp_path, f"1 ekor ayam--soun--{seasoning}")) == ("ayam", "soun")


def test_a_subject_that_no_kitchen_knows_is_better_than_a_seasoning(tmp_path: Path) -> None:
    assert inquiry_subjects(read(tmp_path, "1 buah kranjangan--3 siung bawang putih--serai")) == ("kranjangan",)


def test_of_seasonings_alone_the_subjects_are_seasonings(tmp_path: Path) -> None:
    assert inquiry_subjects(read(tmp_path, "cabai rawit--bawang merah--terasi")) == (
        "cabai rawit",
        "bawang merah",
        "terasi",
    )


def test_skewers_and_foil_are_no_ingredients(tmp_path: Path) -> None:
    assert kitchen_names(read(tmp_path, "500 gram ayam--tusuk sate secukupnya--alumunium foil--serai")) == (
        "ayam",
        "serai",
    )
