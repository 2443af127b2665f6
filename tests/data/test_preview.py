"""A preview shows what is trained on, of one recipe."""

from pathlib import Path

import pytest
from helpers import compose
from rich.console import Console

from koki.config import load_config
from koki.data.build import load_template, tokenize
from koki.data.preview import preview_recipe
from koki.data.recipes import RecipesOfRun
from koki.errors import DataError
from koki.model.source import find_base
from koki.tokens.batches import Drawn
from koki.tokens.examples import TypedConversations


def test_a_preview_shows_the_conversations_of_one_recipe_with_the_supervised_part_apart(recipe_csv: Path) -> None:
    config = load_config(settings={"model.name": "mini", "data.files": [str(recipe_csv)]})
    shown = preview_recipe(config, 2)
    assert shown.title == "Tempe Orek"
    assert len(shown.conversations) == 40
    for conversation in shown.conversations:
        assert conversation.before.endswith("<|im_start|>assistant\n")
        assert conversation.supervised.endswith("<|im_end|>")


def test_a_preview_of_many_recipes_shows_what_is_trained_on_and_says_what_is_held_out() -> None:
    config = load_config(settings={"model.name": "mini", "data.tips": False, "data.typing_noise": 0.0})
    recipes = RecipesOfRun(config)
    trained, held_out = recipes.split
    composed = {conversation.question for conversation in next(compose(trained, config))}
    shown = preview_recipe(config, 1 + recipes.read.index(trained[0]))
    assert {
        c.before.rpartition("<|im_start|>user\n")[2].partition("<|im_end|>")[0] for c in shown.conversations
    } <= composed
    assert not shown.is_held_out
    assert preview_recipe(config, 1 + recipes.read.index(held_out[0])).is_held_out


def test_a_preview_shows_questions_as_the_run_asks_them_in_its_first_epoch(recipe_csv: Path) -> None:
    config = load_config(settings={"model.name": "mini", "data.files": [str(recipe_csv)], "data.typing_noise": 1.0})
    tokenizer, template = load_template(find_base(config.model).folder)
    data = tokenize(RecipesOfRun(config), template, len(tokenizer), Console(quiet=True))
    examples = TypedConversations.of(data.dataset, data.vocabulary, config)
    first, end = data.dataset.group_starts[1:3]
    trained_on = [tokenizer.decode(examples[Drawn(number, 0)]["input_ids"]) for number in range(first, end)]
    assert [c.before + c.supervised + c.after for c in preview_recipe(config, 2).conversations] == trained_on


def test_a_preview_of_a_recipe_that_is_not_there_says_how_many_there_are(recipe_csv: Path) -> None:
    config = load_config(settings={"model.name": "mini", "data.files": [str(recipe_csv)]})
    with pytest.raises(DataError, match="no recipe 9") as caught:
        preview_recipe(config, 9)
    assert "3" in caught.value.how
