"""Lists and objects become the text of a field, in JSON and where a program wrote them into a cell."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.recipes.values import text_of, written_out


@pytest.mark.parametrize(
    "cell",
    [
        "['4 buah tahu, potong dua', 'garam']",
        '["4 buah tahu, potong dua", "garam"]',
        " [ '4 buah tahu, potong dua' , \"garam\" , ] ",
        "['4 buah tahu, potong dua'\n 'garam']",  # NumPy
        "('4 buah tahu, potong dua', 'garam')",
        'c("4 buah tahu, potong dua", "garam")',  # R
        '{"4 buah tahu, potong dua","garam"}',  # PostgreSQL
    ],
)
def test_a_list_that_a_program_wrote_into_a_cell_is_read(cell: str) -> None:
    assert written_out(cell) == "4 buah tahu, potong dua--garam"


@pytest.mark.parametrize(
    "cell",
    ["(1) Rebus ayam (2) Sajikan (3)", "[1] garam", "garam", "(garam)", "['garam', ", "{garam} [gula]", "[" * 10_000],
)
def test_what_is_no_list_stays_as_it_is(cell: str) -> None:
    assert written_out(cell) == cell


def test_the_brackets_of_a_list_without_quotation_marks_go() -> None:
    assert written_out("[1 ikat bayam, 2 siung bawang]") == "1 ikat bayam, 2 siung bawang"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"jumlah": "1 ikat", "bahan": "bayam"}, "1 ikat bayam"),
        ({"bahan": "bayam", "jumlah": 1, "satuan": "ikat"}, "1 ikat bayam"),
        ({"Nama Bahan": "bayam", "Qty": 1.5, "Unit": "kg", "Keterangan": "cuci"}, "1.5 kg bayam, cuci"),
        ({"ingredient": {"name": "bayam"}, "amount": {"value": 2.0, "unit": "ikat"}}, "2 ikat bayam"),
        ({"name": "garam", "amount": None}, "garam"),
        ({"no": 1, "teks": "Didihkan air."}, "Didihkan air."),
        ({"@type": "HowToStep", "name": "Didihkan", "text": "Didihkan air.", "image": ["a.jpg"]}, "Didihkan air."),
        ({"langkah": 1, "deskripsi": "Didihkan air."}, "Didihkan air."),
        ({"1": "Didihkan air.", "2": "Sajikan."}, "Didihkan air.--Sajikan."),
        ({"bayam": "1 ikat", "air": "1 liter"}, "1 ikat bayam--1 liter air"),
    ],
)
def test_the_parts_of_an_object_are_joined(value: object, text: str) -> None:
    assert text_of([value]) == text
    assert written_out(str([value])) == written_out(json.dumps([value])) == text


@pytest.mark.parametrize(
    "value",
    [
        [{"grup": "Bumbu", "bahan": "garam"}, {"grup": "Bumbu", "bahan": "gula"}],
        [{"grup": "Bumbu", "bahan": ["garam", "gula"]}],
        [{"name": "Bumbu", "itemListElement": [{"name": "garam"}, {"name": "gula"}]}],
        {"Bumbu": ["garam", "gula"]},
    ],
)
def test_the_name_of_a_group_is_a_heading(value: object) -> None:
    assert text_of(value) == "Bumbu:--garam--gula"


def test_what_is_nested_without_end_is_no_text() -> None:
    assert text_of([[[[[[[[[["garam"]]]]]]]]]]) is None


# Escapes are left to the repair of the whole field, and two dashes separate items.
items = st.text(st.characters(exclude_characters='\\"-', exclude_categories=["Cc", "Cs"]), min_size=1)


@given(st.lists(items, min_size=1))
def test_every_list_of_texts_comes_back_from_its_cell(texts: list[str]) -> None:
    assert written_out(json.dumps(texts, ensure_ascii=False)).split("--") == texts


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["grup", "bahan", "nama", "teks"]), inner)
    ),
)


@given(json_values)
def test_any_value_is_a_text_or_none(value: object) -> None:
    assert isinstance(text_of(value), str | None)


@given(st.text("[]{}()'\", \\nc1a:") | st.text())
def test_any_cell_gives_a_text(cell: str) -> None:
    assert isinstance(written_out(cell), str)
