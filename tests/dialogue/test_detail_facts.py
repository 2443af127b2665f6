"""Facts: what a page says of what a question names stands in what the chef reads, found by program."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import koki.recipes
from koki.book.naming import names_of
from koki.book.question import Question
from koki.book.reading import Page, Reading
from koki.dialogue.detail_facts import facts_about, topic_of
from koki.dialogue.detail_words import Topic
from koki.dialogue.details import common_ingredients, details_of
from koki.dialogue.pages import reading_texts
from koki.dialogue.phrasebook import load_phrasebook
from koki.ingredients.lexicon import fold
from koki.ingredients.parse import parse_ingredients
from koki.recipes.recipe import Recipe, identity
from koki.recipes.table import read_recipes

BOOK = load_phrasebook()
RECIPES = read_recipes(Path(koki.recipes.__file__).parent / "samples.csv")
NAMES = names_of(RECIPES)
INGREDIENTS = [
    "1 ekor ayam, potong 4", "100 gram lemak kambing", "2 sdm tepung terigu", "3 sdm tepung beras",
    "2 lembar daun salam", "1 ikat kemangi", "Bumbu halus:", "5 siung bawang putih", "Sambal:", "3 siung bawang putih",
]  # fmt: skip
STEPS = [
    "Rebus ayam 40 menit dengan api kecil, lalu goreng sebentar.",
    "Tumis bumbu halus, masukkan daun salam.",
    "Taburkan kemangi.",
]
NAME = "Soto Asem-Asem dengan Ayam"
PAGE = Page(
    NAME,
    Recipe(
        identity(NAME, INGREDIENTS, STEPS), NAME, parse_ingredients(INGREDIENTS), tuple(STEPS), None, None, None, "x", 1
    ),
)


def facts(question: str, page: Page = PAGE) -> list[str]:
    return [fact.replace(f" di {NAME}", "") for fact in facts_about(question, page, BOOK)]


@pytest.mark.parametrize(
    ("topic", "question"),
    [
        ("amount", "kencurnya piro mbak"),
        ("amount", "petis buat tahu gimbal brp sendok"),
        ("contains", "ada kentangnya ora"),
        ("contains", "pake terasi apa nggak"),
        ("contains", "pake kentang kan?"),
        ("which", "ikan bakar jimbaran pakai ikan apa"),
        ("which", "dagingnya bagian apa"),
        ("which", "cabainya yang mana?"),
        ("time", "dikukus berapa jam"),
        ("time", "direbus brp lama sampe empuk"),
        ("heat", "apinya gede apa sedang"),
        ("heat", "ditumis nganggo geni sepiro?"),
        ("order", "terong dimasukin terakhir?"),
        ("order", "kapan melinjo dimasukkan"),
        ("portions", "buat 8 orang iganya berapa kilo"),
        ("portions", "setengah resep berarti cabenya berapa gram ya"),
    ],
)
def test_what_is_asked_of_a_dish_is_told_by_the_words_beside_the_names(topic: Topic, question: str) -> None:
    assert topic_of(Question(question)) == topic


@pytest.mark.parametrize(
    "question", ["susunya bisa diganti santan?", "kalau tanpa santan gimana", "gudeg dikasih teh buat apa", "gimana?"]
)
def test_a_question_of_none_of_the_topics_has_none(question: str) -> None:
    assert topic_of(Question(question)) is None


def test_every_form_of_question_is_of_its_topic() -> None:
    others = common_ingredients(RECIPES)
    details = [it for recipe in RECIPES[::4] for it in details_of(recipe, NAMES[recipe.id], others, seed=7)]
    assert [it.question for it in details if topic_of(Question(it.question)) != it.topic] == []


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("ayamnya berapa ekor?", ["ayam: 1 ekor ayam, potong 4."]),
        ("berapa lemak kambing yang dipakai?", ["lemak kambing: 100 gram lemak kambing."]),
        ("bawang putihnya brp", ["bawang putih: 5 siung bawang putih (Bumbu halus); 3 siung bawang putih (Sambal)."]),
    ],
)
def test_the_lines_that_have_an_ingredient_are_given_as_they_stand_there(question: str, found: list[str]) -> None:
    assert [fact.lower() for fact in facts(question)] == [fact.lower() for fact in found]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("tepungnya tepung apa", ["tepung: tepung terigu; tepung beras."]),
        ("daunnya daun apa ya", ["daun: daun salam; kemangi."]),
    ],
)
def test_of_something_of_which_there_are_kinds_those_are_given(question: str, found: list[str]) -> None:
    assert facts(question) == found


def test_amounts_are_those_of_as_much_as_is_made() -> None:
    twice = replace(PAGE, times=Fraction(2))
    assert facts("kalau dua kali resep, tepung berasnya jadi berapa?", twice) == [
        "tepung beras jadi: 6 sdm tepung beras."
    ]


def test_that_an_ingredient_is_not_there_is_said() -> None:
    assert facts("pakai kemiri ga?") == ["kemiri tidak ada."]
    assert facts("pakai kemiri sama kemangi ga?") == ["kemiri tidak ada.", "kemangi ada: 1 ikat kemangi."]


def test_of_an_ingredient_that_is_asked_for_by_its_step_the_steps_that_use_it_are_given() -> None:
    assert facts("daun salam dimasukkan kapan?") == ["daun salam, langkah 2: Tumis bumbu halus, masukkan daun salam."]


@pytest.mark.parametrize("question", ["ayamnya direbus berapa lama?", "direbusnya pakai api apa"])
def test_of_what_is_done_the_words_of_the_step_are_given(question: str) -> None:
    assert facts(question) == ["direbus: Rebus ayam 40 menit dengan api kecil."]


def test_the_name_of_the_dish_is_not_what_is_asked_about() -> None:
    assert facts(f"{NAME.lower()} pakai kemangi ga?") == ["kemangi ada: 1 ikat kemangi."]
    assert facts("soto asem-asem pakai kemangi ga?") == ["kemangi ada: 1 ikat kemangi."]


def test_an_ingredient_is_found_as_it_is_typed_on_a_phone() -> None:
    assert facts("bwg putihnya brp siung") == facts("bawang putihnya berapa siung")


def test_where_nothing_is_named_nothing_is_found() -> None:
    assert facts("gimana?") == []


def test_what_is_found_stands_behind_the_pages_that_are_read_for_a_detail() -> None:
    read, *_ = reading_texts(Reading("detail", (PAGE,)), "pakai kemiri ga?", BOOK)
    assert read.endswith(f"Yang diminta: ada atau tidaknya bahan di resep {NAME}.\nkemiri tidak ada di {NAME}.")
    read, *_ = reading_texts(Reading("detail", (PAGE,)), "gimana?", BOOK)
    assert read.endswith(f"Yang diminta: satu hal dari resep {NAME}.")
    read, *_ = reading_texts(Reading("recipe", (PAGE,)), "resep soto pakai kemiri ga?", BOOK)
    assert "kemiri" not in read


def test_where_it_is_not_sure_which_dish_is_meant_it_is_said_of_each() -> None:
    other = replace(PAGE, name="Soto Lain")
    read, *_ = reading_texts(Reading("detail", (PAGE, other)), "pakai kemiri ga?", BOOK)
    assert read.endswith(f"\nkemiri tidak ada di {NAME}.\nkemiri tidak ada di Soto Lain.")


@pytest.mark.parametrize("held_out", [False, True])
def test_what_the_answers_to_details_say_is_found_in_every_form_of_question(held_out: bool) -> None:
    without: list[str] = []
    others, words = (
        common_ingredients(RECIPES),
        {"ya", "tidak", "memakai", "resep", "dipakai", "langkah", "di", "dan", "jadi"},
    )
    for recipe in RECIPES[::4]:
        for detail in details_of(recipe, NAMES[recipe.id], others, seed=7):
            if detail.held_out is held_out and "\n" not in detail.answer:
                page = Page(NAMES[recipe.id], recipe, times=detail.times)
                found = {*fold(f"{facts_about(detail.question, page, BOOK)} {detail.question} {page.name}").split()}
                said = {word.removesuffix("nya") for word in fold(detail.answer.replace("nya ", " ")).split()}
                if said - {word.removesuffix("nya") for word in found} - words:
                    without.append(detail.question)
    assert without == []


@given(st.text(max_size=60))
def test_any_question_may_be_asked(question: str) -> None:
    for fact in facts_about(question, PAGE, BOOK):
        assert "\n" not in fact
