"""Collections that are larger than their shelf: what is answered from it, and what is true of all recipes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from helpers import ORAK, SOTO, composer_of, write_csv
from hypothesis import given, settings
from hypothesis import strategies as st

import koki.recipes
from koki.book.naming import names_of
from koki.book.pantry import thing
from koki.dialogue import shelf
from koki.dialogue.compose import Composer
from koki.dialogue.conversation import Conversation
from koki.dialogue.phrasebook import load_phrasebook
from koki.dialogue.shelf import Shelf, best_loved, roots_in, shelf_of
from koki.dialogue.vocabulary import Vocabulary
from koki.ingredients.lexicon import LEXICON
from koki.recipes.recipe import Recipe
from koki.recipes.table import read_recipes

SAMPLES = list(read_recipes(Path(koki.recipes.__file__).parent / "samples.csv")[:24])
NAMES = names_of(SAMPLES)
SATE = {"Title": "Sate Ayam", "Ingredients": "1 ekor ayam--2 butir telur--3 sdm kecap manis", "Steps": "Bakar ayam."}
KOLAK = {
    "Title": "Kolak Pisang",
    "Ingredients": "1 sisir pisang--2 daun pandan--2 butir telur",
    "Steps": "Rebus pisang dengan daun pandan.--Sajikan hangat.",
}


@pytest.fixture(autouse=True)
def room_for_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "MOST_ON_SHELF", 2)


@pytest.fixture
def recipes(tmp_path: Path) -> list[Recipe]:
    """Of which the first and the third are loved."""
    rows = [SOTO | {"Loves": "7"}, SATE | {"Loves": "0"}, ORAK | {"Loves": "9"}, KOLAK | {"Loves": "0"}]
    return list(read_recipes(write_csv(tmp_path / "r.csv", rows)))


def composed(recipe: Recipe, recipes: Sequence[Recipe]) -> Iterator[list[Conversation]]:
    """From memory, and from the book."""
    name, composer = names_of(recipes)[recipe.id], composer_of(recipes)
    yield composer.compose(recipe, name)
    yield composer.open_book.compose(recipe, name)


def said(conversation: Conversation) -> str:
    return "\n\n".join(segment.text for segment in conversation.answer)


def of_kind(kind: str, conversations: Sequence[Conversation]) -> list[Conversation]:
    return [one for one in conversations if one.kind == kind]


def test_the_best_loved_stand_on_the_shelf_in_the_order_in_which_they_were_read(recipes: list[Recipe]) -> None:
    assert best_loved(recipes) == [recipes[0], recipes[2]]


def test_of_equally_loved_ones_those_with_the_lower_id_stand_there(recipes: list[Recipe]) -> None:
    equal = [replace(recipe, loves=None if number % 2 else 0) for number, recipe in enumerate(recipes)]
    assert {recipe.id for recipe in best_loved(equal)} == set(sorted(recipe.id for recipe in recipes)[:2])


LOVED = st.lists(st.integers(0, 3), min_size=len(SAMPLES), max_size=len(SAMPLES)).map(
    lambda loves: [replace(recipe, loves=count) for recipe, count in zip(SAMPLES, loves, strict=True)]
)


@settings(max_examples=30)
@given(recipes=LOVED, cut=st.integers(0, len(SAMPLES)))
def test_the_best_loved_of_the_parts_best_loved_are_those_of_the_whole(recipes: list[Recipe], cut: int) -> None:
    assert best_loved([*best_loved(recipes[:cut]), *best_loved(recipes[cut:])]) == best_loved(recipes)


def test_a_recipe_that_is_not_on_the_shelf_is_asked_for_and_told_as_any_other(recipes: list[Recipe]) -> None:
    sate = recipes[1]
    for conversations in composed(sate, recipes):
        assert len(of_kind("standard", conversations)) == 5
        assert len(of_kind("simple", conversations)) == 15
    from_memory = next(composed(sate, recipes))
    assert all("Sate Ayam" in one.question and sate.steps[0] in said(one) for one in of_kind("standard", from_memory))


def test_what_to_cook_is_a_dish_of_the_shelf(recipes: list[Recipe]) -> None:
    for conversations in composed(recipes[1], recipes):
        asked = [*of_kind("recommendation", conversations), *of_kind("inquiry", conversations)]
        assert len(asked) == 20
        assert all("Soto Ayam" in said(one) or "Tempe Orek" in said(one) for one in asked)
        assert not any("Sate Ayam" in said(one) for one in asked)


def test_an_ingredient_that_no_dish_of_the_shelf_has_is_not_asked_about(recipes: list[Recipe]) -> None:
    for conversations in composed(recipes[1], recipes):
        assert {"ayam"} == {
            name for one in of_kind("inquiry", conversations) for name in ("ayam", "telur") if name in one.question
        }


def test_where_the_shelf_has_nothing_of_a_recipe_nobody_asks_what_to_cook_with_it(recipes: list[Recipe]) -> None:
    for conversations in composed(recipes[3], recipes):
        assert {one.kind for one in conversations} & {"recommendation", "inquiry"} == set()
        assert of_kind("simple", conversations)


def test_an_ingredient_is_lacking_only_if_no_recipe_has_it_on_the_shelf_or_not(recipes: list[Recipe]) -> None:
    names = names_of(recipes)
    known = frozenset(it.root for it in map(thing, LEXICON.known.phrases()) if it)
    assert {"pisang", "tempe"} <= shelf_of(recipes, names).roots & known
    all_but_one = Shelf(recipes[:1], names, known - {"pisang"})
    book = Composer(load_phrasebook(), (), all_but_one, seed=42).open_book
    (lacking,) = (one for one in book.compose(recipes[0], "Soto Ayam") if "pisang" in one.question)
    assert lacking.kind == "absent"


def test_the_roots_of_parts_are_those_of_the_whole() -> None:
    assert roots_in(SAMPLES[:9]) | roots_in(SAMPLES[9:]) == roots_in(SAMPLES)


def test_no_question_has_two_answers_though_most_recipes_are_not_on_the_shelf() -> None:
    composer = composer_of(SAMPLES)
    answers: dict[str, set[str]] = {}
    for recipe in SAMPLES:
        for conversation in composer.compose(recipe, NAMES[recipe.id]):
            answers.setdefault(conversation.question, set()).add(said(conversation))
    assert all(len(told) == 1 for told in answers.values())


@settings(max_examples=10)
@given(cuts=st.sets(st.integers(0, len(SAMPLES))))
def test_a_vocabulary_is_the_same_however_the_recipes_are_cut_into_parts(cuts: set[int]) -> None:
    bounds, book = [0, *sorted(cuts), len(SAMPLES)], load_phrasebook()
    cut = (SAMPLES[start:end] for start, end in pairwise(bounds))
    parts = (Vocabulary.of(part, {recipe.id: NAMES[recipe.id] for recipe in part}, book) for part in cut)
    assert Vocabulary.joined(parts) == Vocabulary.of(SAMPLES, NAMES, book)
