"""`koki evaluate`."""

import json
import shutil
from pathlib import Path

import pytest
from commands import koki_here

from koki.pipeline import TrainResult


@pytest.mark.slow
def test_evaluate_prints_json_and_keeps_it_in_the_run_folder(finished_run: TrainResult, tmp_path: Path) -> None:
    shutil.copytree(finished_run.folder, tmp_path / "run")
    options = ("--questions-per-capability", "1", "--max-new-tokens", "4", "--compare", "base", "--json")
    run = koki_here("evaluate", str(tmp_path / "run"), *options)
    card = json.loads(run.stdout)
    assert {"recall", "typing", "understanding", "generalisation"} == set(card["groups"])
    assert (card["run"], card["compared_with"]["run"]) == ("run", "base")  # it is published: no folder of this machine
    assert json.loads((tmp_path / "run" / "report" / "scorecard.json").read_text("utf-8")) == card


@pytest.mark.parametrize("option", [("--data", "resep.csv"), ("--questions-per-capability", "12")])
def test_what_says_nothing_to_peoples_own_questions_is_a_wrong_option_beside_them(option: tuple[str, str]) -> None:
    run = koki_here("evaluate", "runs/koki", "--questions", "saya.tsv", *option)
    assert run.returncode == 2
    assert option[0] in run.stderr
