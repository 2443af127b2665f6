"""Titles, as they stand in a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.book.titles import spoken


@pytest.mark.parametrize("title", ["Soto Ayam", "Telur dadar ala Padang", "Tumis Buncis & Tempe", "Sop Iga (pedas)"])
def test_a_title_that_reads_well_stays_as_it_is(title: str) -> None:
    assert spoken(title) == title


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Semur Ikan BANDENG", "Semur Ikan Bandeng"),
        ("SOP IGA sapi", "Sop Iga sapi"),
        ("Kulit ayam NO MINYAK", "Kulit ayam No Minyak"),
        ("telur sambal ijo", "Telur sambal ijo"),
    ],
)
def test_words_in_capitals_are_written_as_words(title: str, name: str) -> None:
    assert spoken(title) == name


@pytest.mark.parametrize("title", ["Chicken Wings BBQ", "Ayam ala RM Padang", "Sarden ABC Pedas", "TTKK kuah kacang"])
def test_acronyms_stay_in_capitals(title: str) -> None:
    assert spoken(title) == title


def test_an_acronym_that_lost_its_capitals_gets_them_back() -> None:
    assert spoken("Nugget Ayam Mpasi no msg") == "Nugget Ayam MPASI no MSG"


@pytest.mark.parametrize(
    "title",
    [
        "Soto Ayam.... BY. Dapur Linda",
        "Soto Ayam (resep by @linda)",
        "Soto Ayam (Resep Mertua)",
        "Soto Ayam-recook Bunda Linda",
        "Soto Ayam ala @dapurlinda",
        "Soto Ayam ala saya",
        "Soto Ayam ala",
        "Soto Ayam _ bunda linda",
        "[Recook] Soto Ayam",
        "Soto Ayam (PR_recookmasakan)",
        "Soto Ayam..;)",
    ],
)
def test_who_posted_it_is_not_part_of_the_dish(title: str) -> None:
    assert spoken(title) == "Soto Ayam"


@pytest.mark.parametrize("title", ["Resep Soto Ayam", "resep: Soto Ayam", "Cara membuat Soto Ayam"])
def test_words_before_the_dish_are_not_part_of_it(title: str) -> None:
    assert spoken(title) == "Soto Ayam"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Tempe,tahu,telur", "Tempe, tahu, telur"),
        ("Lele(pecel)goreng", "Lele (pecel) goreng"),
        ("Soto kudus..kuah bening", "Soto kudus kuah bening"),
        ("Sambal kol&tempe+tahu", "Sambal kol & tempe + tahu"),
        ("Telur 1,5 matang", "Telur 1,5 matang"),
    ],
)
def test_marks_and_spaces_stand_where_they_belong(title: str, name: str) -> None:
    assert spoken(title) == name


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Telur pedasss", "Telur pedas"),
        ("Ayam Rica2", "Ayam Rica-rica"),
        ("Steak dan teman2nya", "Steak dan teman-temannya"),
        ('Asem" Bandeng', "Asem-asem Bandeng"),
        ('Ayam "Kampung" goreng', 'Ayam "Kampung" goreng'),
        ("Tumis TTT", "Tumis TTT"),
    ],
)
def test_words_are_written_in_full_and_letters_once(title: str, name: str) -> None:
    assert spoken(title) == name


def test_a_title_of_nothing_else_stays() -> None:
    assert spoken("...") == "..."


@given(st.text(max_size=60))
def test_any_title_that_says_something_still_does(title: str) -> None:
    name = spoken(title)
    assert any(map(str.isalpha, name)) or name == title


@pytest.mark.parametrize("text", ["(" * 5000, "ala " * 5000, "a" * 50000, 'x"' * 9999, "," * 9999 + "b", "by " * 5000])
def test_a_long_title_takes_no_time(text: str) -> None:
    spoken(text)
