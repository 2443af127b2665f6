"""Typing: as people do on a phone, and so that what is typed stands for one question alone."""

import random
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from importlib import resources
from itertools import chain
from pathlib import Path

import pytest
from helpers import composer_of, composing
from hypothesis import given, settings
from hypothesis import strategies as st

from koki.book.naming import names_of
from koki.config import RunConfig
from koki.data.recipes import RecipesOfRun
from koki.dialogue.phrasebook import load_phrasebook, load_refusals, load_tips
from koki.dialogue.typist import Typist
from koki.dialogue.vocabulary import Vocabulary
from koki.ingredients.lexicon import fold
from koki.recipes.recipe import Recipe
from koki.recipes.table import read_recipes

WORDS = "bagaimana cara membuat resep dong cabai hijau sop soto ayam rendang daging langkah-langkah apa saja tempe yang"
TYPIST = Typist(load_phrasebook(), Vocabulary(frozenset(WORDS.split()), frozenset({"tempe"}), frozenset()))


def typed(question: str, typist: Typist = TYPIST, times: int = 400) -> set[str]:
    return {typist.type(question, random.Random(f"{seed}")) for seed in range(times)}


@pytest.mark.parametrize(
    ("question", "ways"),
    [
        ("Resep Rendang Daging dong!", {"resep rendang daging dong", "rendang daging"}),
        ("cara bikin rendang daging gimana?", {"resep rendang daging", "rendang daging resepnya"}),
        ("Bagaimana cara membuat Rendang Daging?", {"bgmn cara membuat rendang daging"}),
        ("Ada resep Ayam Cabai Hijau?", {"ada resep ayam cabe hijau"}),
        ("Langkah-langkah membuat Soto Ayam apa saja?", {"langkah2 membuat soto ayam apa saja", "langkah soto ayam"}),
        ("Resep Rendang Daging dong!", {"rendng daging", "rendang dagign", "renndang daging", "rendang dsging"}),
    ],
)  # fmt: skip
def test_a_question_is_typed_as_people_do(question: str, ways: set[str]) -> None:
    assert ways <= typed(question, times=4000)


def test_the_bare_name_of_a_dish_that_is_an_ingredient_is_not_typed_for_the_dish() -> None:
    assert "soto" in typed("Resep Soto dong!")
    assert "tempe" not in typed("Resep Tempe dong!")


def test_a_slip_is_never_a_slip_in_another_word() -> None:
    sop, soto = typed("Ada resep Sop Ayam?", times=4000), typed("Ada resep Soto Ayam?", times=4000)
    assert any("otoo" in question for question in soto)
    assert not sop & soto  # "soo" might be either


def test_what_is_drawn_decides_what_is_typed() -> None:
    first, second = (TYPIST.type("Resep Soto Ayam dong!", random.Random(1)) for _ in range(2))
    assert first == second


def answers_of(recipes: Sequence[Recipe], rounds: int) -> dict[str, set[str]]:
    """What is typed for all questions, however it is capitalised and ends -> the answers that it is taught."""
    book = load_phrasebook()
    composer = composer_of(recipes)
    typist = Typist(book, Vocabulary.of(recipes, names_of(recipes), book))
    groups = [
        *map(composing(recipes), recipes),
        *map(composer.compose_tip, load_tips()),
        *map(composer.compose_refusal, load_refusals()),
    ]
    answers: defaultdict[str, set[str]] = defaultdict(set)
    for group in groups:
        for conversation in group:
            answer = "\n\n".join(segment.text for segment in conversation.answer)
            for number in range(rounds):
                question = typist.type(conversation.question, random.Random(f"{number}:{conversation.question}"))
                answers[question.lower().rstrip("?!. ")].add(answer)
    return answers


@pytest.mark.slow
def test_nothing_that_is_typed_has_two_answers_among_the_recipes_that_ship() -> None:
    answers = answers_of(RecipesOfRun(RunConfig()).read, rounds=4)
    assert len(answers) > 10_000
    assert {question: told for question, told in answers.items() if len(told) > 1} == {}


@pytest.mark.slow
def test_nothing_that_is_typed_has_two_answers_among_real_recipes(shared_data: Path) -> None:
    recipes = read_recipes(sorted((shared_data / "recipes").glob("*.csv"))[0])
    answers = answers_of(recipes[:400], rounds=1)
    assert {question: told for question, told in answers.items() if len(told) > 1} == {}


def test_each_abbreviation_is_typed_for_one_word_alone() -> None:
    instead = tomllib.loads(Path(str(resources.files("koki.dialogue") / "typist.toml")).read_text("utf-8"))["instead"]
    shorts = [short for words in instead.values() for short in words.split(", ")]
    assert len(set(shorts)) == len(shorts)
    assert not set(shorts) & set(instead)


def test_short_forms_are_no_other_questions() -> None:
    book = load_phrasebook()
    forms = [
        form.question for forms in (book.standard, book.simple, book.recommendation, book.inquiry) for form in forms
    ]
    shorts = [*chain(*book.short.recipe, *book.short.ingredients, *book.short.steps), *book.short.inquiry]
    plain = [form.lower().rstrip("?!. ") for form in [*forms, *shorts]]
    assert len(set(plain)) == len(plain)


@settings(deadline=None, max_examples=60)
@given(name=st.text(st.characters(categories=["L", "Nd", "P", "Zs"]), max_size=40), seed=st.integers(0, 10**6))
def test_any_name_can_be_typed(name: str, seed: int) -> None:
    assert isinstance(TYPIST.type(f"Resep {name} dong!", random.Random(seed)), str)


def test_a_changed_spelling_is_the_same_ingredient() -> None:
    assert fold("ayam cabe hijau") == fold("ayam cabai hijau")
