"""Scaling: all amounts of a line are multiplied, and nothing else of it changes."""

import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import koki.recipes
from koki.ingredients.parse import parse_ingredient, parse_ingredients
from koki.ingredients.scaling import scaled
from koki.recipes.table import read_recipes

HALF, TWICE = Fraction(1, 2), Fraction(2)
RECIPES = read_recipes(Path(koki.recipes.__file__).parent / "samples.csv")
LINES = [item for recipe in RECIPES for item in recipe.ingredients]


def times(line: str, factor: Fraction = TWICE) -> str:
    return scaled([parse_ingredient(line)], factor)[0]


@pytest.mark.parametrize(
    ("line", "twice"),
    [
        ("1 ekor ayam, potong 4", "2 ekor ayam, potong 4"),
        ("5 siung bawang putih", "10 siung bawang putih"),
        ("Kemiri 4 butir, sangrai", "Kemiri 8 butir, sangrai"),
        ("2-3 lembar daun salam", "4-6 lembar daun salam"),
        ("2 – 3 cabai", "4 – 6 cabai"),
        ("½ sdt jintan", "1 sdt jintan"),
        ("2½ sdt garam", "5 sdt garam"),
        ("¹/² ruas jahe", "1 ruas jahe"),
        ("1 1/2 sdm merica", "3 sdm merica"),
        ("1 stengah sdm saus tiram", "3 sdm saus tiram"),
        ("1/4 kg telur", "½ kg telur"),
        ("1,4 sdt gula", "2,8 sdt gula"),
        ("1.500 ml air", "3000 ml air"),
        ("setengah sdt merica", "1 sdt merica"),
        ("separo bawang bombay", "1 bawang bombay"),
        ("dua lembar salam", "4 lembar salam"),
        ("seekor ayam kampung", "2 ekor ayam kampung"),
        ("1 ekor ayam (500 gram)", "2 ekor ayam (1000 gram)"),
        ("3 sdm air + 1 sdt maizena", "6 sdm air + 2 sdt maizena"),
        ("4 cabai merah, 4 cabai hijau", "8 cabai merah, 8 cabai hijau"),
        ("garam (1 sdt)", "garam (2 sdt)"),
        ("2 cm jahe", "4 cm jahe"),
        ("1 sdt kunyit bubuk / 2 cm kunyit", "2 sdt kunyit bubuk / 4 cm kunyit"),
    ],
)  # fmt: skip
def test_amounts_are_doubled(line: str, twice: str) -> None:
    assert times(line) == twice


@pytest.mark.parametrize(
    ("line", "half"),
    [
        ("1 butir telur", "½ butir telur"),
        ("3 siung bawang merah", "1½ siung bawang merah"),
        ("½ sdt garam", "¼ sdt garam"),
        ("125 gram gula", "62,5 gram gula"),
        ("1,5 liter air", "0,75 liter air"),
        ("1/3 sdm lada", "⅙ sdm lada"),
        ("1-2 buah cabai", "½-1 buah cabai"),
    ],
)  # fmt: skip
def test_amounts_are_halved_as_people_write_it(line: str, half: str) -> None:
    assert times(line, HALF) == half


@pytest.mark.parametrize(
    "line",
    [
        "secukupnya garam",
        "garam dan merica bubuk secukupnya",
        "Bumbu halus:",
        "cabai no. 1",
        "ayam, potong 4",
        "air 100 derajat",
        "air 100°C",
        "tempe yg harga 4000",
        "tempe rp 2.000",
        "bawang bombay ukuran 170 gr",
    ],
)
def test_what_is_no_amount_stays(line: str) -> None:
    assert times(line) == line


@pytest.mark.parametrize(
    ("line", "twice"),
    [
        ("1 bungkus santan kara (65 ml)", "2 bungkus santan kara (65 ml)"),
        ("1 bungkus bihun isi 2", "2 bungkus bihun isi 2"),
        ("1 papan tempe 250 gr", "2 papan tempe 250 gr"),
        ("2 ikat kangkung, potong 3 cm", "4 ikat kangkung, potong 3 cm"),
        ("1 kg daging, iris 2 bagian", "2 kg daging, iris 2 bagian"),
        ("1 buah tempe yg harga 4000", "2 buah tempe yg harga 4000"),
        ("200 gram tepung protein 12%", "400 gram tepung protein 12%"),
    ],
)  # fmt: skip
def test_the_size_of_a_package_or_piece_stays(line: str, twice: str) -> None:
    assert times(line) == twice


def test_once_is_the_line_itself() -> None:
    assert scaled(LINES, Fraction(1)) == [item.raw for item in LINES]


@pytest.mark.parametrize(("first", "second"), [(TWICE, HALF), (HALF, TWICE), (Fraction(3), Fraction(1, 3))])
def test_there_and_back_is_the_line_itself_for_the_recipes_that_ship(first: Fraction, second: Fraction) -> None:
    there = parse_ingredients(scaled(LINES, first))
    for item, line in zip(LINES, scaled(there, second), strict=True):
        assert line == item.raw or re.search(r"\d[/,]\d", item.raw), line  # "2,5 liter" comes back as "2½ liter"


@pytest.mark.parametrize("factor", [TWICE, HALF, Fraction(3)])
def test_the_amount_that_is_read_back_is_the_multiplied_one(factor: Fraction) -> None:
    for item, line in zip(LINES, scaled(LINES, factor), strict=True):
        again = parse_ingredient(line)
        if isinstance(item.quantity, float):
            assert again.quantity == pytest.approx(item.quantity * float(factor), abs=0.005), line
        elif item.quantity is None:
            assert line == item.raw
        assert (again.name, again.unit, again.preparation) == (item.name, item.unit, item.preparation), line


@given(
    number=st.integers(1, 999),
    unit=st.sampled_from(["siung", "gram", "sdm", "butir", "lembar"]),
    cut=st.sampled_from(["potong 4", "iris 2 cm", "belah 3 bagian", "ukuran 500 gram"]),
    factor=st.fractions(Fraction(1, 4), Fraction(5), max_denominator=4),
)
def test_no_digit_of_a_preparation_changes(number: int, unit: str, cut: str, factor: Fraction) -> None:
    assert times(f"{number} {unit} bawang merah, {cut}", factor).endswith(f" {unit} bawang merah, {cut}")


@given(st.text(max_size=80), st.fractions(Fraction(1, 4), Fraction(5), max_denominator=4))
def test_any_line_can_be_scaled_and_keeps_its_words(line: str, factor: Fraction) -> None:
    lasting = re.compile(r"[b-df-mo-rt-z]{3,}")  # no words of numbers, no "se"
    assert set(lasting.findall(times(line, factor))) <= set(lasting.findall(line)) | {"ekor"}
