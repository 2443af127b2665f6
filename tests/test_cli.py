"""The command line's contracts."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import write_csv

from koki.pipeline import TrainResult


def koki(*arguments: str, stdin: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "koki", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        check=False,
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, koki.cli; print([m for m in ('torch', 'transformers', 'numpy', 'pydantic') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_help_names_every_verb() -> None:
    text = koki("--help").stdout
    for verb in ("train", "ask", "chat", "evaluate", "check", "preview", "parse", "config", "demo"):
        assert f" {verb} " in text


def test_ask_gives_json_with_what_scripts_rely_on(finished_run: TrainResult) -> None:
    run = koki("ask", str(finished_run.folder), "Resep soto?", "--json", "--max-new-tokens", "4")
    answer = json.loads(run.stdout)
    assert list(answer) == ["question", "answer", "stopped", "ended_by", "tokens", "seconds"]
    assert answer["question"] == "Resep soto?"
    assert answer["tokens"] == 4
    assert (answer["stopped"], answer["ended_by"]) == (False, "max_new_tokens")


def test_ask_answers_questions_from_a_pipe_in_order(finished_run: TrainResult) -> None:
    options = ("--json", "--max-new-tokens", "4")
    run = koki("ask", str(finished_run.folder), *options, stdin="Resep soto ayam dong?\n\nTelur?\n")
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert [answer["question"] for answer in answers] == ["Resep soto ayam dong?", "Telur?"]


@pytest.mark.parametrize("question", ["", "  "])
def test_ask_refuses_an_empty_question(finished_run: TrainResult, question: str) -> None:
    run = koki("ask", str(finished_run.folder), question)
    assert (run.returncode, run.stdout) == (2, "")
    assert "an empty question" in run.stderr


def test_ask_says_how_many_answers_were_cut_off(finished_run: TrainResult) -> None:
    run = koki("ask", str(finished_run.folder), "--max-new-tokens", "2", stdin="Soto?\nTelur?\n")
    assert "2 of 2 answers cut off after 2 tokens: --max-new-tokens allows more" in run.stderr


def test_ask_says_where_the_context_ended_an_answer_which_no_option_helps(finished_run: TrainResult) -> None:
    long = "soto " * 900
    run = koki("ask", str(finished_run.folder), stdin=f"Soto?\n{long}\n")
    assert "1 of 2 answers cut off where question and answer fill the 1,024 tokens that the model reads" in run.stderr
    assert "--max-new-tokens" not in run.stderr


def test_evaluate_prints_json_and_keeps_it_in_the_run_folder(finished_run: TrainResult, tmp_path: Path) -> None:
    shutil.copytree(finished_run.folder, tmp_path / "run")
    options = ("--questions-per-capability", "1", "--max-new-tokens", "4", "--compare", "base", "--json")
    run = koki("evaluate", str(tmp_path / "run"), *options)
    card = json.loads(run.stdout)
    assert {"recall", "understanding", "generalisation"} == set(card["groups"])
    assert (card["run"], card["compared_with"]["run"]) == ("run", "base")  # it is published: no folder of this machine
    assert json.loads((tmp_path / "run" / "report" / "scorecard.json").read_text("utf-8")) == card


def test_parse_gives_one_object_a_line_in_order() -> None:
    run = koki("parse", "-", "--json", stdin="2 siung bawang putih, cincang\nBumbu halus:\n½ sdt garam\n")
    first, heading, last = (json.loads(line) for line in run.stdout.splitlines())
    assert list(first) == [
        "raw",
        "name",
        "heading",
        "quantity",
        "unit",
        "preparation",
        "note",
        "optional",
        "alternatives",
        "others",
    ]
    assert (first["quantity"], first["unit"], first["name"]) == (2, "siung", "bawang putih")
    assert first["preparation"] == "cincang"
    assert (heading["name"], heading["heading"]) == (None, True)
    assert last["quantity"] == 0.5


def test_parse_gives_an_answer_for_an_empty_line_too() -> None:
    assert len(koki("parse", "-", "--json", stdin="garam\n\ngula\n").stdout.splitlines()) == 3


def test_check_gives_json_with_columns_and_dropped_rows(tmp_path: Path) -> None:
    file = tmp_path / "resep.csv"
    file.write_text('Judul;Bahan;Langkah\nSoto;"ayam--serai";Rebus ayam.\nKosong;;Rebus.\n', "utf-8")
    report = json.loads(koki("check", str(file), "--json").stdout)
    (read,) = report["files"]
    assert read["delimiter"] == ";"
    assert read["columns"]["title"] == "Judul"
    assert (read["rows_read"], read["rows_kept"]) == (2, 1)
    assert read["dropped"][0]["line"] == 3


ODD = "Menu;Belanja;Cara\nSoto;ayam--serai;Rebus ayam.\nKosong;;Rebus.\n"
ODD_COLUMNS = "title=Menu, ingredients=Belanja,steps=Cara"


def test_check_takes_the_names_of_odd_columns(tmp_path: Path) -> None:
    (tmp_path / "resep.csv").write_text(ODD, "utf-8")
    report = json.loads(koki("check", str(tmp_path / "resep.csv"), "--columns", ODD_COLUMNS, "--json").stdout)
    assert report["files"][0]["columns"] == {"title": "Menu", "ingredients": "Belanja", "steps": "Cara"}


def test_check_takes_a_pattern(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).write_text(f"Judul,Bahan,Langkah\nSoto {name},ayam--serai,Rebus ayam.\n", "utf-8")
    report = json.loads(koki("check", "*.csv", "--json", cwd=tmp_path).stdout)
    assert [file["path"] for file in report["files"]] == ["a.csv", "b.csv"]


def test_check_writes_the_dropped_rows_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "resep.csv").write_text(ODD, "utf-8")
    run = koki("check", "resep.csv", "--columns", ODD_COLUMNS, "--output", "buangan.csv", "--json", cwd=tmp_path)
    assert json.loads(run.stdout)["rows_kept"] == 1
    assert "Dropped rows written to buangan.csv: 1" in run.stderr
    assert (tmp_path / "buangan.csv").read_text("utf-8") == (
        "file,line,reason,title\nresep.csv,3,ingredients are empty,Kosong\n"
    )


def test_config_prints_yaml_that_config_reads(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(koki("config", "--set", "seed=7").stdout, "utf-8")
    assert "seed: 7 " in koki("config", "--config", str(file)).stdout


def test_preview_gives_json(recipe_csv: Path) -> None:
    shown = json.loads(koki("preview", "--data", str(recipe_csv), "--recipe", "3", "--json").stdout)
    assert shown["title"] == "Telur Dadar"
    assert {"kind", "before", "supervised", "after", "tokens"} <= set(shown["conversations"][0])


def test_data_export_writes_json_lines(recipe_csv: Path, tmp_path: Path) -> None:
    output = tmp_path / "percakapan.jsonl"
    options = ("--data", str(recipe_csv), "--set", "data.validation_fraction=0", "--output", str(output))
    run = koki("data", "export", "--format", "messages", *options)
    assert run.returncode == 0
    assert {len(json.loads(line)["messages"]) for line in output.read_text("utf-8").splitlines()} == {3}


def test_data_export_takes_columns_under_names_of_their_own(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "r.csv", [{"Menu": "Soto", "Belanja": "1 ayam--2 serai", "Proses": "Rebus.--Sajikan."}])
    output = tmp_path / "percakapan.jsonl"
    columns = ("--columns", "title=Menu,ingredients=Belanja,steps=Proses")
    options = ("--data", str(file), *columns, "--set", "data.tips=false", "--output", str(output))
    assert koki("data", "export", "--format", "messages", *options).returncode == 0
    assert "Soto" in output.read_text("utf-8")


def test_data_export_of_an_unknown_format_lists_the_formats(tmp_path: Path) -> None:
    run = koki("data", "export", "--format", "xml", "--output", str(tmp_path / "x"))
    assert run.returncode == 1
    assert "messages, sharegpt, alpaca, prompt-completion" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("train", "--data", "tidak-ada.csv"), "tidak-ada.csv"),
        (("train", "--set", "lora.rank=3"), "There is no setting 'lora.rank'"),
        (("train", "--save-every-minutes", "0"), "training.save_minutes cannot be 0.0"),
        (("train", "--preset", "dmo"), "Did you mean 'demo'?"),
        (("ask", "tidak-ada", "Resep?"), "There is no run folder tidak-ada"),
        (("chat", "tidak-ada"), "There is no run folder tidak-ada"),
        (("evaluate", "tidak-ada"), "There is no run folder tidak-ada"),
        (("evaluate", "tidak-ada", "--questions", "x.tsv"), "x.tsv is not there"),
        (("check", "tidak-ada.csv"), "tidak-ada.csv"),
        (("check", "*.csv"), "No recipe file matches *.csv"),
        (("check", "a.csv", "--columns", "Judul"), "not of the form field=name"),
        (("train", "--columns", "titel=Judul"), "no 'titel'"),
        (("parse", "tidak-ada.txt"), "tidak-ada.txt is not there"),
        (("preview", "--model", "0.7b"), "There is no model '0.7b'"),
    ],
)
def test_an_error_says_what_and_how_without_a_traceback_and_exits_with_1(
    tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    run = koki(*arguments, cwd=tmp_path)
    assert run.returncode == 1
    assert says in run.stderr
    assert "Traceback" not in run.stderr


def test_a_file_that_cannot_be_written_is_such_an_error_too(tmp_path: Path) -> None:
    (tmp_path / "resep.csv").write_text(ODD, "utf-8")
    run = koki("check", "resep.csv", "--columns", ODD_COLUMNS, "--output", "tidak/ada.csv", cwd=tmp_path)
    assert run.returncode == 1
    assert "No such file or directory: 'tidak/ada.csv'" in run.stderr
    assert "Traceback" not in run.stderr


def test_debug_shows_the_traceback_wherever_it_stands(tmp_path: Path) -> None:
    assert "Traceback" in koki("check", "tidak-ada.csv", "--debug", cwd=tmp_path).stderr


@pytest.mark.parametrize("option", [("--data", "resep.csv"), ("--questions-per-capability", "12")])
def test_what_says_nothing_to_peoples_own_questions_is_a_wrong_option_beside_them(option: tuple[str, str]) -> None:
    run = koki("evaluate", "runs/koki", "--questions", "saya.tsv", *option)
    assert run.returncode == 2
    assert option[0] in run.stderr


def test_a_misspelt_option_is_answered_with_the_right_one() -> None:
    run = koki("train", "--dta", "x.csv")
    assert run.returncode == 2
    assert "--data" in run.stderr
