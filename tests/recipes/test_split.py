"""The split: nothing leaks, and what is added moves nobody."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.recipes.split import split
from koki.recipes.table import read_recipes

titles = st.lists(st.text(min_size=1, max_size=8))
fractions = st.floats(0, 1)


@given(titles, fractions)
def test_every_recipe_is_on_one_side_in_order(titles: list[str], fraction: float) -> None:
    train, held_out = split(titles, fraction)
    assert sorted([*train, *held_out]) == [*range(len(titles))]
    assert (train, held_out) == (sorted(train), sorted(held_out))


@given(titles, titles, fractions)
def test_adding_recipes_moves_none(titles: list[str], added: list[str], fraction: float) -> None:
    moved = [[place + len(added) for place in side] for side in split(titles, fraction)]
    for before, after in zip(moved, split([*added, *titles], fraction), strict=True):
        assert {*before} <= {*after}


@given(titles, fractions, fractions)
def test_a_larger_fraction_takes_none_back(titles: list[str], one: float, other: float) -> None:
    smaller, larger = sorted((one, other))
    assert {*split(titles, smaller)[1]} <= {*split(titles, larger)[1]}


def test_equal_titles_go_the_same_way_whatever_their_spelling() -> None:
    for number in range(200):
        assert [] in split([f"Sambal Cabe {number}", f"sambal cabai {number}!"], 0.5)


def test_a_fraction_of_nought_trains_on_all() -> None:
    assert split([f"Soto {number}" for number in range(50)], 0.0)[1] == []


@pytest.mark.slow
def test_the_fraction_is_about_what_is_held_out_of_real_recipes(shared_data: Path) -> None:
    recipes = read_recipes(shared_data / "recipes" / "dataset-tempe.csv")
    held_out = split((recipe.title for recipe in recipes), 0.05)[1]
    assert 0.03 < len(held_out) / len(recipes) < 0.07
