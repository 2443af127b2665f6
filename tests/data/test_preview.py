"""A preview shows what is trained on, of one recipe."""

from pathlib import Path

import pytest

from koki.config import load_config
from koki.data.conversations import compose
from koki.data.preview import preview_recipe
from koki.data.recipes import recipe_files, split_recipes
from koki.errors import DataError
from koki.recipes.table import read_recipes


def test_a_preview_shows_the_conversations_of_one_recipe_with_the_supervised_part_apart(recipe_csv: Path) -> None:
    config = load_config(flags={"model.name": "mini", "data.files": [str(recipe_csv)]})
    shown = preview_recipe(config, 2)
    assert shown.title == "Tempe Orek"
    assert len(shown.conversations) == 40
    for conversation in shown.conversations:
        assert conversation.before.endswith("<|im_start|>assistant\n")
        assert conversation.supervised.endswith("<|im_end|>")


def test_a_preview_of_many_recipes_shows_what_is_trained_on_and_says_what_is_held_out() -> None:
    config = load_config(flags={"model.name": "mini", "data.tips": False})
    recipes = read_recipes(recipe_files(config))[0]
    trained, held_out = split_recipes(recipes, config)
    composed = {conversation.question for conversation in next(compose(trained, config))}
    shown = preview_recipe(config, 1 + recipes.index(trained[0]))
    assert {
        c.before.rpartition("<|im_start|>user\n")[2].partition("<|im_end|>")[0] for c in shown.conversations
    } <= composed
    assert not shown.is_held_out
    assert preview_recipe(config, 1 + recipes.index(held_out[0])).is_held_out


def test_a_preview_of_a_recipe_that_is_not_there_says_how_many_there_are(recipe_csv: Path) -> None:
    config = load_config(flags={"model.name": "mini", "data.files": [str(recipe_csv)]})
    with pytest.raises(DataError, match="no recipe 9") as caught:
        preview_recipe(config, 9)
    assert "3" in caught.value.how
