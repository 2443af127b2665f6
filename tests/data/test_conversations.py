"""The conversations of a data set: what questions share is written once."""

from pathlib import Path

from helpers import SOTO, compose, write_csv

from koki.config import RunConfig
from koki.recipes.table import read_recipes


def test_questions_about_a_recipe_share_answers(tmp_path: Path) -> None:
    group = next(compose(read_recipes(write_csv(tmp_path / "resep.csv", [SOTO])), RunConfig()))
    assert len({id(conversation.answer) for conversation in group}) < len(group)
