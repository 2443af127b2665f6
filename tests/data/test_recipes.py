"""Which recipes a run trains on, and which of them are held out."""

import csv
from importlib import resources
from pathlib import Path

from koki.config import load_config
from koki.data.recipes import recipe_files, split_recipes
from koki.recipes.table import read_recipes


def test_of_few_recipes_none_is_held_out_of_many_some(recipe_csv: Path) -> None:
    config = load_config()
    few = list(read_recipes(recipe_csv))
    assert split_recipes(few, config) == (few, [])
    many = read_recipes(*recipe_files(config))
    train_recipes, held_out = split_recipes(many, config)
    assert len(train_recipes) + len(held_out) == len(many)
    assert held_out


def test_the_recipes_that_ship_are_at_least_sixty_of_many_kinds_and_all_are_kept() -> None:
    path = Path(str(resources.files("koki.recipes") / "samples.csv"))
    recipes = read_recipes(path)
    report = recipes.report
    assert len(recipes) == report.rows_read >= 60
    with path.open(encoding="utf-8", newline="") as file:
        categories = {row["Category"] for row in csv.DictReader(file)}
    assert {"ayam", "ikan", "kambing", "sapi", "tahu", "telur", "tempe", "udang", "sayur", "sambal"} <= categories
