"""A chef with a book: when it looks, what it reads, and where its answer stands."""

import shutil
from fractions import Fraction
from pathlib import Path

import pytest
from helpers import ORAK, write_csv

from koki.book.store import Book
from koki.inference.chef import Chef, can_read
from koki.pipeline import TrainResult
from koki.recipes.table import read_recipes
from koki.runs.finished import FinishedRun, read_run
from koki.runs.names import BOOK

QUESTION = "Resep soto ayam dong!"


@pytest.fixture(scope="module")
def chef(finished_run: TrainResult) -> Chef:
    return Chef.load(finished_run.folder)


def test_a_small_chef_that_was_not_trained_to_read_answers_from_memory(chef: Chef) -> None:
    answer = chef.ask(QUESTION, max_new_tokens=3)
    assert (answer.reading, answer.check, answer.sources, answer.where_it_stands) == (None, None, (), "")


def test_a_chef_reads_by_itself_that_was_trained_to_or_is_large(finished_run: TrainResult) -> None:
    run = read_run(finished_run.folder)
    assert not can_read(run)
    assert can_read(FinishedRun(run.folder, run.card, run.settings | {"data.book_share": 0.1}))
    large = run.card | {"training": run.card["training"] | {"parameters": 500_000_000}}
    assert can_read(FinishedRun(run.folder, large, run.settings))


def test_a_chef_that_is_told_to_look_in_its_book_says_what_it_read(chef: Chef) -> None:
    answer = chef.ask(QUESTION, book=True, max_new_tokens=3)
    (source,) = answer.sources
    assert source.title.startswith("Soto Ayam")
    assert source.file == "resep.csv"
    assert answer.as_dict()["sources"][0]["line"] == source.line


def test_one_question_and_a_list_are_read_for_alike(chef: Chef) -> None:
    one = chef.ask(QUESTION, book=True, max_new_tokens=8)
    (of_list,) = chef.ask([QUESTION], book=True, max_new_tokens=8)
    assert (one.answer, one.reading) == (of_list.answer, of_list.reading)


def test_a_follow_up_is_about_the_dish_before(chef: Chef) -> None:
    answer = chef.ask("kalau dibuat dua kali resep?", history=[(QUESTION, "...")], book=True, max_new_tokens=3)
    assert answer.reading is not None
    assert [(page.name, page.times) for page in answer.reading.pages] == [(chef_soto(chef), Fraction(2))]


def chef_soto(chef: Chef) -> str:
    return chef.ask(QUESTION, book=True, max_new_tokens=1).sources[0].title


def test_a_dish_that_was_added_is_read_by_the_next_chef(finished_run: TrainResult, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished_run.folder, tmp_path / "run", ignore=shutil.ignore_patterns("checkpoint-*")))
    new = read_recipes(write_csv(tmp_path / "baru.csv", [ORAK | {"Title": "Pepes Peda"}]))
    with Book.open(run / BOOK, write=True) as book:
        book.add(new)
    assert [it.title for it in Chef.load(run).ask("resep pepes peda", book=True, max_new_tokens=1).sources] == [
        "Pepes Peda"
    ]


def test_asking_leaves_nothing_beside_the_book(finished_run: TrainResult) -> None:
    before = sorted(finished_run.folder.iterdir())
    Chef.load(finished_run.folder).ask(QUESTION, book=True, max_new_tokens=1)
    assert sorted(finished_run.folder.iterdir()) == before
