"""The recipes that a book gets after training: dishes that no chef of the recipes that ship has met."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from koki.ingredients.lexicon import fold
from koki.recipes.recipe import Recipe
from koki.recipes.table import read_recipes


def _recipes(package: str, name: str) -> Sequence[Recipe]:
    recipes = read_recipes(Path(str(resources.files(package) / name)))
    report = recipes.report
    assert len(recipes) == report.rows_read
    return recipes


def test_no_dish_that_is_added_ships_with_koki() -> None:
    added, ships = _recipes("koki.evaluation", "added.csv"), _recipes("koki.recipes", "samples.csv")
    assert len(added) == 40
    assert {fold(recipe.title) for recipe in added}.isdisjoint(fold(recipe.title) for recipe in ships)
    assert not {step for recipe in added for step in recipe.steps} & {step for recipe in ships for step in recipe.steps}


def test_an_added_recipe_is_one_that_people_could_cook() -> None:
    for recipe in _recipes("koki.evaluation", "added.csv"):
        assert 4 <= len(recipe.steps) <= 7
        amounts = [item for item in recipe.ingredients if item.name and item.quantity is not None]
        assert len(amounts) >= 8
        assert len({step.lower() for step in recipe.steps}) == len(recipe.steps)
