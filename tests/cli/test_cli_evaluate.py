"""`koki evaluate`."""

import json
import shutil
from pathlib import Path

import pytest
from commands import koki_here

from koki.evaluation.asked import GROUPS
from koki.gguf.of_run import gguf_of_run
from koki.pipeline import TrainResult
from koki.runs.finished import read_run


@pytest.mark.slow
def test_evaluate_prints_json_keeps_it_and_ends_with_3_where_a_requirement_is_not_met(
    finished_run: TrainResult, tmp_path: Path
) -> None:
    shutil.copytree(finished_run.folder, tmp_path / "run")
    options = ("--questions-per-capability", "1", "--max-new-tokens", "4", "--compare", "base", "--json")
    required = ("--require", "no_loop>=0", "--require", "right_dish>=0.95")
    run = koki_here("evaluate", str(tmp_path / "run"), *options, *required)
    assert run.returncode == 3
    card = json.loads(run.stdout)
    assert [one["met"] for one in card["requirements"]] == [True, False]
    assert "not met: right_dish>=0.95: 0 " in run.stderr
    assert set(card["groups"]) == set(GROUPS)
    assert (card["run"], card["compared_with"]["run"]) == ("run", "base")  # it is published: no folder of this machine
    assert json.loads((tmp_path / "run" / "report" / "scorecard.json").read_text("utf-8")) == card


@pytest.mark.parametrize(
    "option", [("--data", "r.csv"), ("--questions-per-capability", "12"), ("--added", "r.csv"), ("--groups", "recall")]
)
def test_what_says_nothing_to_peoples_own_questions_is_a_wrong_option_beside_them(option: tuple[str, str]) -> None:
    run = koki_here("evaluate", "runs/koki", "--questions", "saya.tsv", *option)
    assert run.returncode == 2
    assert option[0] in run.stderr


@pytest.mark.slow
def test_the_scorecard_of_a_gguf_file_lies_beside_that_of_its_run_and_in_its_report(
    finished_run: TrainResult, tmp_path: Path
) -> None:
    run = tmp_path / "warung"
    shutil.copytree(finished_run.folder, run)
    file = gguf_of_run(read_run(run), "q8_0")
    options = ("--questions-per-capability", "1", "--max-new-tokens", "4", "--json")
    card = json.loads(koki_here("evaluate", str(file), *options).stdout)
    assert (card["engine"], card["file"]["type"]) == ("llama.cpp, warung-q8_0.gguf", "q8_0")
    assert json.loads((run / "report" / "scorecard-q8_0.json").read_text("utf-8")) == card
    assert '<th scope="col">q8_0</th>' in (run / "report" / "report.html").read_text("utf-8")


@pytest.mark.slow
def test_the_scorecard_of_a_file_that_lies_elsewhere_lies_beside_it(
    finished_run: TrainResult, recipe_csv: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "warung"
    folder.mkdir()
    for name in ("training_metadata.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(finished_run.folder / name, folder)
    file = gguf_of_run(read_run(finished_run.folder), "q8_0", folder=folder)
    options = ("--questions-per-capability", "1", "--max-new-tokens", "4", "--data", str(recipe_csv))
    run = koki_here("evaluate", str(file), *options)
    assert run.returncode == 0, run.stderr
    assert list(folder.glob("scorecard-*.json"))
    assert not (folder / "report").exists()
