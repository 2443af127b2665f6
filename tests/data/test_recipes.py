"""Which recipes a run trains on, and which of them are held out."""

import csv
from importlib import resources
from pathlib import Path

from koki.config import load_config
from koki.data.recipes import RecipesOfRun
from koki.recipes.table import read_recipes


def test_of_few_recipes_none_is_held_out_of_many_some(recipe_csv: Path) -> None:
    few = RecipesOfRun(load_config(settings={"data.files": [recipe_csv]}))
    assert few.split == (tuple(few.read), ())
    many = RecipesOfRun(load_config())
    learned, held_out = many.split
    assert len(learned) + len(held_out) == len(many.read)
    assert held_out


def test_the_recipes_that_ship_are_at_least_sixty_of_many_kinds_and_all_are_kept() -> None:
    path = Path(str(resources.files("koki.recipes") / "samples.csv"))
    recipes = read_recipes(path)
    report = recipes.report
    assert len(recipes) == report.rows_read >= 60
    with path.open(encoding="utf-8", newline="") as file:
        categories = {row["Category"] for row in csv.DictReader(file)}
    assert {"ayam", "ikan", "kambing", "sapi", "tahu", "telur", "tempe", "udang", "sayur", "sambal"} <= categories
