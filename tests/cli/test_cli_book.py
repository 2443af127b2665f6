"""`koki book`: a dish that is added is in the book at once."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from commands import ODD, ODD_COLUMNS, koki_here
from helpers import SOTO, write_csv

from koki.book.store import Book

if TYPE_CHECKING:
    from koki.pipeline import TrainResult

RAWON = SOTO | {"Title": "Rawon", "Ingredients": "500 gram daging sandung lamur--4 buah kluwek--2 batang serai"}


@pytest.fixture
def run(finished_run: "TrainResult", tmp_path: Path) -> str:
    """A copy of a finished run: its card and its book."""
    folder = tmp_path / "warung"
    folder.mkdir()
    for name in ("training_metadata.json", "book.sqlite"):
        shutil.copy(finished_run.folder / name, folder)
    return str(folder)


@pytest.fixture
def rawon(tmp_path: Path) -> str:
    """A file with a new dish, one that was trained on, and a row without ingredients."""
    return str(write_csv(tmp_path / "rawon.csv", [RAWON, SOTO, SOTO | {"Title": "Kosong", "Ingredients": ""}]))


def dishes(run: str) -> list[str]:
    with Book.open(Path(run) / "book.sqlite") as book:
        return [page.name for page in book.pages()]


def test_what_is_added_is_in_the_book_and_what_was_in_it_is_counted(run: str, rawon: str) -> None:
    added = koki_here("book", "add", run, rawon)
    assert added.returncode == 0
    assert "book.sqlite: 1; in it already: 1" in added.stdout
    assert "Rows without a recipe: 1 of 3 (ingredients are empty: 1)" in added.stdout
    assert dishes(run) == ["Soto Ayam", "Tempe Orek", "Telur Dadar", "Rawon"]


def test_a_run_without_a_book_gets_one_with_the_tips(run: str, rawon: str) -> None:
    (Path(run) / "book.sqlite").unlink()
    assert "add those files as well" in koki_here("book", "add", run, rawon).stdout
    with Book.open(Path(run) / "book.sqlite") as book:
        assert len(book) == 2
        assert len(book.tips()) > 100


def test_add_takes_columns_under_names_of_their_own(run: str, tmp_path: Path) -> None:
    (tmp_path / "resep.csv").write_text(ODD, "utf-8")
    added = koki_here("book", "add", run, str(tmp_path / "resep.csv"), "--columns", ODD_COLUMNS, "--json")
    assert (json.loads(added.stdout)["added"], json.loads(added.stdout)["known"]) == (1, 0)


def test_an_add_that_fails_leaves_the_book_as_it_was(run: str, rawon: str) -> None:
    before = (Path(run) / "book.sqlite").read_bytes()
    failed = koki_here("book", "add", run, rawon, "tidak-ada.csv")
    assert failed.returncode == 1
    assert "tidak-ada.csv" in failed.stderr
    assert (Path(run) / "book.sqlite").read_bytes() == before


def test_find_shows_what_was_understood_and_what_the_chef_would_read(run: str) -> None:
    found = koki_here("book", "find", run, "resep soto ayam dong").stdout
    assert "Soto Ayam (1.0)" in found
    assert "resep.csv:2)" in found
    assert "- 2 batang serai, memarkan" in found


def test_find_gives_json(run: str) -> None:
    found = json.loads(koki_here("book", "find", run, "ada tempe sama kecap manis, bisa bikin apa", "--json").stdout)
    assert found["understood"]["wanted"] == "recommendation"
    assert found["understood"]["have"] == ["tempe", "kecap manis"]
    assert list(found["sources"]) == ["Tempe Orek"]
    assert "papan tempe" in found["text"]


def test_a_dish_that_was_just_added_is_found(run: str, rawon: str) -> None:
    koki_here("book", "add", run, rawon)
    assert "kluwek" in koki_here("book", "find", run, "bahan rawon apa aja ya").stdout


def test_the_dishes_are_listed_with_their_file_and_line(run: str) -> None:
    listed = koki_here("book", "list", run)
    assert "Tempe Orek  (" in listed.stdout
    assert "resep.csv:3)" in listed.stdout
    assert "book.sqlite: 3" in listed.stderr


def test_the_dishes_are_listed_as_json_an_object_a_line(run: str) -> None:
    first, *others = map(json.loads, koki_here("book", "list", run, "--json").stdout.splitlines())
    assert (first["name"], first["title"], first["line"]) == ("Soto Ayam", "Soto Ayam", 2)
    assert len(others) == 2


def test_dishes_whose_name_is_like_a_text_are_listed(run: str) -> None:
    assert koki_here("book", "list", run, "telor dadar").stdout.startswith("Telur Dadar  (")


def test_a_dish_is_removed_whatever_its_capitals(run: str) -> None:
    assert "Telur Dadar" in koki_here("book", "remove", run, "telur dadar").stdout
    assert dishes(run) == ["Soto Ayam", "Tempe Orek"]


def test_a_misspelt_dish_gets_the_nearest(run: str) -> None:
    failed = koki_here("book", "remove", run, "tlur dadar")
    assert failed.returncode == 1
    assert "Did you mean: Telur Dadar" in failed.stderr
    assert len(dishes(run)) == 3


@pytest.mark.parametrize("verb", [["list"], ["remove", "Soto"], ["add", "resep.csv"]])
def test_a_folder_that_is_no_run_is_an_error(tmp_path: Path, verb: list[str]) -> None:
    failed = koki_here("book", verb[0], str(tmp_path), *verb[1:])
    assert failed.returncode == 1
    assert "is not a finished run" in failed.stderr
    assert not any(tmp_path.iterdir())


def test_an_empty_question_is_an_error(run: str) -> None:
    assert "An empty question" in koki_here("book", "find", run, " ").stderr


def test_a_file_that_is_no_book_is_an_error_and_stays_as_it_is(run: str, rawon: str) -> None:
    (Path(run) / "book.sqlite").write_bytes(b"catatan ibu\n" * 500)
    failed = koki_here("book", "add", run, rawon)
    assert failed.returncode == 1
    assert "book.sqlite" in failed.stderr
    assert (Path(run) / "book.sqlite").read_bytes() == b"catatan ibu\n" * 500
