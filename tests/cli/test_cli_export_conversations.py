"""`koki export conversations`."""

import json
from pathlib import Path

from commands import koki_here
from helpers import write_csv


def test_an_export_of_conversations_writes_json_lines(recipe_csv: Path, tmp_path: Path) -> None:
    output = tmp_path / "percakapan.jsonl"
    options = ("--data", str(recipe_csv), "--set", "data.validation_fraction=0", "--output", str(output))
    run = koki_here("export", "conversations", "--format", "messages", *options)
    assert run.returncode == 0
    assert {len(json.loads(line)["messages"]) for line in output.read_text("utf-8").splitlines()} == {3}


def test_an_export_of_conversations_takes_columns_under_names_of_their_own(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "r.csv", [{"Menu": "Soto", "Belanja": "1 ayam--2 serai", "Proses": "Rebus.--Sajikan."}])
    output = tmp_path / "percakapan.jsonl"
    columns = ("--columns", "title=Menu,ingredients=Belanja,steps=Proses")
    options = ("--data", str(file), *columns, "--set", "data.tips=false", "--output", str(output))
    assert koki_here("export", "conversations", "--format", "messages", *options).returncode == 0
    assert "Soto" in output.read_text("utf-8")


def test_an_export_of_an_unknown_format_lists_the_formats(tmp_path: Path) -> None:
    run = koki_here("export", "conversations", "--format", "xml", "--output", str(tmp_path / "x"))
    assert run.returncode == 1
    assert "messages, sharegpt, alpaca, prompt-completion" in run.stderr


def test_an_export_replaces_an_earlier_export_and_no_other_file(recipe_csv: Path, tmp_path: Path) -> None:
    resep, output = tmp_path / "resep.csv", tmp_path / "percakapan.jsonl"
    resep.write_bytes(recipe_csv.read_bytes())
    for form in ("messages", "alpaca", "sharegpt", "prompt-completion"):
        options = ("--format", form, "--data", str(resep), "--set", "data.tips=false", "--output")
        assert koki_here("export", "conversations", *options, str(output)).returncode == 0
    run = koki_here("export", "conversations", *options, str(resep))
    assert run.returncode == 1
    assert "is not what this command writes" in run.stderr
    assert resep.read_bytes() == recipe_csv.read_bytes()


def test_the_earlier_name_still_works_and_says_the_new_one(recipe_csv: Path, tmp_path: Path) -> None:
    output = tmp_path / "percakapan.jsonl"
    options = ("--format", "alpaca", "--data", str(recipe_csv), "--set", "data.tips=false", "--output", str(output))
    run = koki_here("data", "export", *options)
    assert run.returncode == 0
    assert run.stderr == "koki data export is called koki export conversations now.\n"
    assert output.is_file()
