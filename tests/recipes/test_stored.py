"""Recipes on disk are those that were written, one at a time."""

import pickle
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koki.ingredients.parse import Ingredient, parse_ingredients
from koki.recipes.recipe import Recipe
from koki.recipes.stored import EncodedRecipes, RecipeWriter, StoredRecipes, decode, encode

LINES = ("Bahan:", "1 1/2 ekor ayam, potong", "2-3 lembar daun salam atau daun jeruk", "garam secukupnya")
RECIPES = [
    Recipe(str(n), f"Soto {n}", parse_ingredients(LINES[: n + 1]), ("Rebus.",) * n, n, None, "soto", "resep.csv", n)
    for n in range(5)
]


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("stored") / "recipes"
    with RecipeWriter(folder) as writer:
        writer.append(EncodedRecipes.of(RECIPES[:2]))
        writer.append(EncodedRecipes.of([]))
        writer.append(EncodedRecipes.of(RECIPES[2:]))
        assert len(writer) == len(RECIPES)
    return folder


# ------------------------------------------------------------------------------------------------------- one recipe

text = st.text(st.characters(exclude_categories=()), max_size=8)  # with lone surrogates
texts = st.lists(text, max_size=3).map(tuple)
numbers = st.floats(allow_nan=False) | st.integers()
ingredients = st.builds(
    Ingredient,
    raw=text,
    name=st.none() | text,
    heading=st.booleans(),
    quantity=st.none() | numbers | st.tuples(numbers, numbers),
    unit=st.none() | text,
    preparation=st.none() | text,
    note=st.none() | text,
    optional=st.booleans(),
    alternatives=texts,
    others=texts,
    group=st.none() | text,
)
recipes = st.builds(
    Recipe,
    id=text,
    title=text,
    ingredients=st.lists(ingredients, max_size=3).map(tuple),
    steps=texts,
    loves=st.none() | st.integers(),
    url=st.none() | text,
    category=st.none() | text,
    file=text,
    line=st.integers(),
    sheet=text,
)


@settings(max_examples=50)
@given(recipes)
def test_a_recipe_is_what_it_was_whatever_it_holds(recipe: Recipe) -> None:
    assert repr(decode(encode(recipe))) == repr(recipe)  # repr tells 1 from 1.0, and a tuple from a list


def test_two_surrogates_in_a_row_stay_two() -> None:
    recipe = Recipe("", "\ud83d\ude00", (), (), None, None, None, "", 1)
    assert decode(encode(recipe)) == recipe


# --------------------------------------------------------------------------------------------------------- a folder


def test_all_are_read_in_order(folder: Path) -> None:
    assert list(StoredRecipes(folder)) == RECIPES


def test_one_is_read_by_its_place_from_either_end(folder: Path) -> None:
    stored = StoredRecipes(folder)
    assert (stored[1], stored[-1]) == (RECIPES[1], RECIPES[-1])
    with pytest.raises(IndexError):
        stored[len(RECIPES)]


def test_a_slice_is_a_sequence_of_stored_recipes(folder: Path) -> None:
    part = StoredRecipes(folder)[1:4]
    assert isinstance(part, StoredRecipes)
    assert list(part[::-1]) == RECIPES[3:0:-1]


def test_those_at_some_places_come_in_the_order_of_the_places(folder: Path) -> None:
    chosen = StoredRecipes(folder)[1:].at([3, 0, 0])
    assert list(chosen) == [RECIPES[4], RECIPES[1], RECIPES[1]]
    assert list(chosen.at([1])) == list(StoredRecipes(folder, np.array([1]))) == [RECIPES[1]]
    assert list(chosen.at([])) == []


def test_what_is_pickled_names_the_folder_alone(folder: Path) -> None:
    pickled = pickle.dumps(StoredRecipes(folder)[2:])
    assert len(pickled) < 500
    assert list(pickle.loads(pickled)) == RECIPES[2:]


def test_a_folder_may_hold_no_recipe(tmp_path: Path) -> None:
    with RecipeWriter(tmp_path):
        pass
    assert list(StoredRecipes(tmp_path)) == []


def test_a_folder_that_was_not_written_to_the_end_cannot_be_read(tmp_path: Path) -> None:
    with RecipeWriter(tmp_path) as writer:
        writer.append(EncodedRecipes.of(RECIPES))
    with suppress(KeyboardInterrupt), RecipeWriter(tmp_path):
        raise KeyboardInterrupt
    with pytest.raises(FileNotFoundError):
        StoredRecipes(tmp_path)
