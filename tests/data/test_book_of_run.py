"""The book that a run leaves: its recipes and the tips that ship."""

from dataclasses import replace
from pathlib import Path

import pytest
from helpers import ORAK, SOTO, TELUR, write_csv

from koki.book.store import Book
from koki.config import RunConfig, load_config, read_assignments
from koki.data.book import shipped_tips, write_book
from koki.data.recipes import RecipesOfRun, check_files


def config_of(file: Path, *assignments: str) -> RunConfig:
    return load_config(settings={"data.files": [str(file)]} | read_assignments(assignments))


@pytest.fixture
def told() -> list[str]:
    """What was warned of."""
    return []


def test_the_book_of_a_run_has_the_recipes_of_its_files_and_the_tips(
    recipe_csv: Path, tmp_path: Path, told: list[str]
) -> None:
    recipes = RecipesOfRun(config_of(recipe_csv))
    write_book(tmp_path / "book.sqlite", recipes, told.append)
    with Book.open(tmp_path / "book.sqlite") as book:
        assert [page.recipe for page in book.pages()] == [replace(it, file="resep.csv") for it in recipes.read]
        assert book.tips() == list(shipped_tips())
    assert told == []


def test_a_run_that_was_not_trained_on_tips_has_none_in_its_book(
    recipe_csv: Path, tmp_path: Path, told: list[str]
) -> None:
    write_book(tmp_path / "book.sqlite", RecipesOfRun(config_of(recipe_csv, "data.tips=false")), told.append)
    with Book.open(tmp_path / "book.sqlite") as book:
        assert book.tips() == []


def test_no_book_is_written_where_none_is_wanted(recipe_csv: Path, tmp_path: Path, told: list[str]) -> None:
    write_book(tmp_path / "book.sqlite", RecipesOfRun(config_of(recipe_csv, "data.book=false")), told.append)
    assert not any(tmp_path.iterdir())


def test_a_later_book_takes_the_place_of_an_earlier_one(tmp_path: Path, told: list[str]) -> None:
    path = tmp_path / "book.sqlite"
    for rows in ([SOTO, ORAK], [TELUR]):
        write_book(path, RecipesOfRun(config_of(write_csv(tmp_path / "resep.csv", rows))), told.append)
    with Book.open(path) as book:
        assert [page.name for page in book.pages()] == ["Telur Dadar"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["book.sqlite", "resep.csv"]


def test_files_that_changed_since_training_began_are_told_of(tmp_path: Path, told: list[str]) -> None:
    config = config_of(write_csv(tmp_path / "resep.csv", [SOTO]))
    checked = check_files(config)
    write_csv(tmp_path / "resep.csv", [SOTO, TELUR])
    write_book(tmp_path / "book.sqlite", RecipesOfRun(config, checked), told.append)
    (said,) = told
    assert "have changed since training began" in said
    with Book.open(tmp_path / "book.sqlite") as book:
        assert len(book) == 2


def test_files_that_are_gone_cost_no_run(tmp_path: Path, told: list[str]) -> None:
    config = config_of(write_csv(tmp_path / "resep.csv", [SOTO]))
    checked = check_files(config)
    (tmp_path / "resep.csv").unlink()
    write_book(tmp_path / "book.sqlite", RecipesOfRun(config, checked), told.append)
    (said,) = told
    assert "was not written" in said
    assert "koki book add" in said
    assert not (tmp_path / "book.sqlite").exists()
