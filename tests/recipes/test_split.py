"""The split: nothing leaks, and what is added moves nobody."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.recipes.recipe import Recipe
from koki.recipes.split import split
from koki.recipes.table import read_recipes


def recipe(title: str, number: int) -> Recipe:
    return Recipe(f"{number:016x}", title, (), ("Rebus.",), None, None, None, "r.csv", number)


recipe_lists = st.lists(st.text(min_size=1, max_size=8)).map(
    lambda titles: [recipe(title, number) for number, title in enumerate(titles)]
)
fractions = st.floats(0, 1)


def ids(recipes: Sequence[Recipe]) -> set[str]:
    return {recipe.id for recipe in recipes}


@given(recipe_lists, fractions)
def test_every_recipe_is_on_one_side_in_order(recipes: list[Recipe], fraction: float) -> None:
    train, held_out = split(recipes, fraction)
    assert sorted([*train, *held_out], key=lambda r: r.id) == recipes
    assert not ids(train) & ids(held_out)


@given(recipe_lists, recipe_lists, fractions)
def test_adding_recipes_moves_none(recipes: list[Recipe], added: list[Recipe], fraction: float) -> None:
    train, held_out = split(recipes, fraction)
    more = [recipe(r.title, 1000 + r.line) for r in added]
    train_after, held_out_after = split([*more, *recipes], fraction)
    assert ids(train) <= ids(train_after)
    assert ids(held_out) <= ids(held_out_after)


@given(recipe_lists, fractions, fractions)
def test_a_larger_fraction_takes_none_back(recipes: list[Recipe], one: float, other: float) -> None:
    smaller, larger = sorted((one, other))
    assert ids(split(recipes, smaller)[1]) <= ids(split(recipes, larger)[1])


def test_equal_titles_go_the_same_way_whatever_their_spelling() -> None:
    for number in range(200):
        pair = [recipe(f"Sambal Cabe {number}", 1), recipe(f"sambal cabai {number}!", 2)]
        assert [] in split(pair, 0.5)


def test_a_fraction_of_nought_trains_on_all() -> None:
    assert split([recipe(f"Soto {number}", number) for number in range(50)], 0.0)[1] == []


@pytest.mark.slow
def test_the_fraction_is_about_what_is_held_out_of_real_recipes(shared_data: Path) -> None:
    recipes = read_recipes(shared_data / "recipes" / "dataset-tempe.csv")
    held_out = split(recipes, 0.05)[1]
    assert 0.03 < len(held_out) / len(recipes) < 0.07
