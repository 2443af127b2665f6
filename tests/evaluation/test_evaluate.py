"""From a run folder to a scorecard, with a chef of twelve steps: nothing here depends on what it says."""

import shutil
from pathlib import Path

import pytest
from helpers import write_csv
from rich.console import Console

from koki.config import load_config, read_assignments
from koki.errors import DataError, RunError
from koki.evaluation.evaluate import BASE, evaluate, evaluate_own
from koki.pipeline import TrainResult, train
from koki.report.language import Translation
from koki.runs.names import BOOK

LIMIT = 8


@pytest.fixture
def moved_run(finished_run: TrainResult, tmp_path: Path) -> Path:
    """A run that may be changed."""
    shutil.copytree(finished_run.folder, tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.slow
def test_a_run_is_asked_what_it_was_trained_on_and_the_base_the_same(finished_run: TrainResult) -> None:
    scorecard = evaluate(finished_run.folder, questions_per_capability=2, compare=BASE, max_new_tokens=LIMIT)
    assert scorecard.other is not None
    assert [one.asked for one in scorecard.scored] == [one.asked for one in scorecard.other.scored]
    assert [one.answer.answer for one in scorecard.scored] != [one.answer.answer for one in scorecard.other.scored]
    assert scorecard.as_dict()["groups"]["recall"]["full recipe"]["questions"] == 2


@pytest.mark.slow
def test_answers_are_counted_as_they_come(finished_run: TrainResult) -> None:
    counted: list[tuple[int, int]] = []
    scorecard = evaluate(
        finished_run.folder,
        questions_per_capability=1,
        compare=BASE,
        max_new_tokens=2,
        on_answer=lambda *so_far: counted.append(so_far),
    )
    total = 2 * len(scorecard.scored)
    assert counted == [(number, total) for number in range(1, total + 1)]


@pytest.mark.slow
def test_without_held_out_recipes_the_scorecard_says_why_there_is_no_generalisation(finished_run: TrainResult) -> None:
    scorecard = evaluate(finished_run.folder, questions_per_capability=1, max_new_tokens=LIMIT)
    assert any("No recipe was held out" in note for note in scorecard.notes)


@pytest.mark.slow
def test_a_base_that_has_learned_the_recipes_held_out_is_noted(tmp_path: Path, console: Console) -> None:
    flags = {"model.name": "mini", "output": str(tmp_path / "run")}
    settings = ("data.validation_fraction=0.1", "data.variations=1", "training.max_steps=1")
    run = train(load_config(settings=flags | read_assignments(settings)), console).folder
    scorecard = evaluate(run, questions_per_capability=1, max_new_tokens=LIMIT)
    assert scorecard.questions("generalisation", "full recipe") == 1
    (note,) = scorecard.notes
    assert "says nothing about new recipes" in note
    assert "mini sudah mempelajari" in Translation("id").note(note)


@pytest.mark.slow
def test_recipes_that_were_moved_are_an_error_that_says_how_to_name_them(
    moved_run: Path, recipe_csv: Path, tmp_path: Path
) -> None:
    config = moved_run / "config.yaml"
    config.write_text(config.read_text("utf-8").replace(str(recipe_csv), "hilang.csv"), "utf-8")
    with pytest.raises(DataError, match=r"cannot be found: .*hilang\.csv") as caught:
        evaluate(moved_run, questions_per_capability=1, max_new_tokens=LIMIT)
    assert "--data" in caught.value.how
    shutil.copy(recipe_csv, tmp_path / "pindah.csv")
    scorecard = evaluate(
        moved_run, questions_per_capability=1, data=[str(tmp_path / "pindah.csv")], max_new_tokens=LIMIT
    )
    assert not any("not the very files" in note for note in scorecard.notes)


@pytest.mark.slow
def test_the_recipes_of_a_run_that_was_published_have_to_be_named(moved_run: Path, recipe_csv: Path) -> None:
    (moved_run / "config.yaml").unlink()
    with pytest.raises(DataError, match=r"cannot be found: .*resep\.csv") as caught:
        evaluate(moved_run, questions_per_capability=1, max_new_tokens=LIMIT)
    assert "--data" in caught.value.how
    assert evaluate(moved_run, questions_per_capability=1, data=[str(recipe_csv)], max_new_tokens=LIMIT).scored


@pytest.mark.slow
def test_other_recipes_than_those_trained_on_are_noted(finished_run: TrainResult, tmp_path: Path) -> None:
    row = {"Title": "Soto Mars", "Ingredients": "1 ekor ayam--2 batang serai--garam", "Steps": "Rebus ayam.--Sajikan."}
    other = write_csv(tmp_path / "lain.csv", [row])
    scorecard = evaluate(finished_run.folder, questions_per_capability=1, data=[str(other)], max_new_tokens=LIMIT)
    assert any("not the very files" in note for note in scorecard.notes)


@pytest.mark.slow
def test_the_same_questions_are_asked_from_memory_and_with_the_book_open(
    finished_run: TrainResult, tmp_path: Path
) -> None:
    row = {"Title": "Soto Mars", "Ingredients": "1 ekor ayam--2 batang serai--garam", "Steps": "Rebus ayam.--Sajikan."}
    added = write_csv(tmp_path / "baru.csv", [row])
    book = (finished_run.folder / BOOK).read_bytes()
    groups = ("recall", "recall-book", "added-book")
    scorecard = evaluate(
        finished_run.folder, questions_per_capability=1, added=added, groups=groups, max_new_tokens=LIMIT
    )
    asked = {group: [one for one in scorecard.scored if one.asked.group == group] for group in groups}
    assert [one.asked.question for one in asked["recall"]] == [one.asked.question for one in asked["recall-book"]]
    assert all(one.answer.reading is None for one in asked["recall"])
    about_soto = [one.answer.reading for one in asked["added-book"] if one.asked.capability == "full recipe"]
    assert [page.name for reading in about_soto if reading for page in reading.pages] == ["Soto Mars"]
    assert (finished_run.folder / BOOK).read_bytes() == book  # a copy got the new dish


def test_a_group_in_which_nothing_is_asked_is_an_error(finished_run: TrainResult) -> None:
    with pytest.raises(DataError, match="nothing to ask in generalisation") as caught:
        evaluate(finished_run.folder, questions_per_capability=1, groups=["generalisation"])
    assert "added-book" in caught.value.how


def test_a_folder_that_is_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a finished run"):
        evaluate(tmp_path)


@pytest.mark.slow
def test_peoples_own_questions_are_asked_in_their_order(finished_run: TrainResult, tmp_path: Path) -> None:
    file = tmp_path / "pertanyaan.tsv"
    lines = [
        "id\tcapability\tquestion\tmust\tmust_not",
        "b\ttip\tKenapa santan pecah?\tapi\t",
        "a\tinquiry\tTempe?\t\t",
    ]
    file.write_text("\n".join(lines), "utf-8")
    scorecard = evaluate_own(finished_run.folder, file, compare=BASE, max_new_tokens=LIMIT)
    assert [one.question.id for one in scorecard.verdicts] == ["b", "a"]
    assert [one.answer.question for one in scorecard.verdicts] == ["Kenapa santan pecah?", "Tempe?"]
    assert scorecard.other is not None
    assert len(scorecard.other.verdicts) == 2
