"""Dangers, allergies and small talk are answered by program."""

import pytest
from helpers import compose

from koki.answers.comparison import words_of
from koki.config import load_config, read_assignments
from koki.data.recipes import recipe_files
from koki.dialogue.certain import certain_answer
from koki.dialogue.phrasebook import Refusal, Tip, load_refusals, load_tips
from koki.recipes.table import read_recipes

ENTRIES: list[Tip | Refusal] = [*load_tips(), *load_refusals()]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Saya alergi udang, resep apa yang aman?", "tidak bisa saya jamin"),
        ("anak gue ALERGIAN sama kacang, masakin apa ya", "tidak bisa saya jamin"),
        ("resep ayam setengah matang dong", "Salmonella"),
        ("boleh makan ayam mentah ga?", "Salmonella"),
        ("resep ikan buntal", "Jangan dimasak"),
        ("keracunan ikan buntal, gimana nih", "IGD"),
        ("bikin keripik dari umbi gadung", "Jangan mencoba"),
        ("rasanya pengen mati aja deh", "119"),
    ],
)
def test_a_danger_has_the_safe_answer_however_it_is_asked(question: str, said: str) -> None:
    assert said in str(certain_answer(question))


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Terima kasih ya!", "Sama-sama"),
        ("halo", "Halo!"),
        ("HALO KOKI", "Halo!"),
        ("p", "Halo!"),
        ("asdf", "Maksudnya"),
        ("??", "Maksudnya"),
    ],
)
def test_small_talk_is_answered_whatever_its_signs_and_capitals(said: str, answer: str) -> None:
    assert str(certain_answer(said)).startswith(answer)


@pytest.mark.parametrize("question", ["Resep soto ayam dong!", "rendang", "makasih, resep rawon apa?", "", "  "])
def test_all_else_is_left_to_the_model(question: str) -> None:
    assert certain_answer(question) is None


def test_no_phrase_stands_in_a_question_that_has_another_answer() -> None:
    for entry in ENTRIES:
        for question in entry.questions:
            assert certain_answer(question) in (None, entry.answer)


def test_no_question_about_the_recipes_that_ship_has_a_certain_answer() -> None:
    config = load_config(settings=read_assignments(["data.tips=false", "data.refusals=false"]))
    recipes = read_recipes(*recipe_files(config))
    asked = [one.question for group in compose(recipes, config) for one in group]
    assert [question for question in asked if certain_answer(question)] == []


def test_a_phrase_is_of_plain_words() -> None:
    phrases = [phrase for entry in ENTRIES for phrase in entry.always]
    assert phrases
    assert [" ".join(words_of(phrase)) for phrase in phrases] == phrases
