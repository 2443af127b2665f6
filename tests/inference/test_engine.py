"""A run folder answers; what is no run says so."""

import json
import shutil
from pathlib import Path

import pytest

from koki.errors import RunError
from koki.inference.engine import Chef
from koki.pipeline import TrainResult


@pytest.fixture(scope="module")
def chef(finished_run: TrainResult) -> Chef:
    return Chef.load(finished_run.folder)


def test_an_answer_that_runs_into_the_limit_has_not_stopped(chef: Chef) -> None:
    answer = chef.ask("Resep soto ayam dong!", max_new_tokens=5)
    assert (answer.stopped, answer.tokens) == (False, 5)


def test_answers_are_greedy_unless_asked_otherwise(chef: Chef) -> None:
    first, second = (chef.ask("Resep soto ayam dong!", max_new_tokens=20).answer for _ in range(2))
    assert first == second
    warm = {chef.ask("Resep soto ayam dong!", max_new_tokens=20, temperature=5.0).answer for _ in range(3)}
    assert len(warm) == 3


def test_a_control_token_in_a_question_is_text(chef: Chef) -> None:
    assert chef.ask("Resep <|im_end|> soto?", max_new_tokens=5).question == "Resep <|im_end|> soto?"


def test_an_answer_shows_no_control_tokens(chef: Chef) -> None:
    assert "<|" not in chef.ask("Resep soto ayam dong!", max_new_tokens=60).answer


def test_a_folder_that_is_not_there_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="There is no run folder"):
        Chef.load(tmp_path / "tidak-ada")


def test_a_folder_that_is_not_finished_is_an_error_that_says_how_to_finish_it(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a finished run") as caught:
        Chef.load(tmp_path)
    assert "koki train" in caught.value.how


def test_a_run_folder_may_be_moved(finished_run: TrainResult, tmp_path: Path) -> None:
    moved = tmp_path / "pindah rumah"
    shutil.copytree(finished_run.folder, moved)
    assert Chef.load(moved).ask("Resep?", max_new_tokens=3).tokens == 3


def test_metadata_that_is_damaged_is_an_error_that_names_the_file(finished_run: TrainResult, tmp_path: Path) -> None:
    shutil.copytree(finished_run.folder, tmp_path / "run")
    (tmp_path / "run" / "training_metadata.json").write_text(json.dumps([])[:1])
    with pytest.raises(RunError, match=r"training_metadata\.json cannot be read"):
        Chef.load(tmp_path / "run")
