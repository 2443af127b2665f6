"""What the command line says when something is wrong."""

from pathlib import Path

import pytest
from commands import ODD, ODD_COLUMNS, koki, koki_here


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("train", "--data", "tidak-ada.csv"), "tidak-ada.csv"),
        (("train", "--set", "lora.rank=3"), "There is no setting 'lora.rank'"),
        (("train", "--save-every-minutes", "0"), "training.save_minutes cannot be 0.0"),
        (("train", "--preset", "laptp"), "Did you mean 'laptop'?"),
        (("ask", "tidak-ada", "Resep?"), "There is no run folder tidak-ada"),
        (("chat", "tidak-ada"), "There is no run folder tidak-ada"),
        (("evaluate", "tidak-ada"), "There is no run folder tidak-ada"),
        (("evaluate", "tidak-ada", "--questions", "x.tsv"), "x.tsv is not there"),
        (("evaluate", "tidak-ada", "--require", "right_dsh>=0.9"), "Did you mean right_dish or right?"),
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
    run = koki_here(*arguments, cwd=tmp_path)
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


def test_a_misspelt_option_is_answered_with_the_right_one() -> None:
    run = koki("train", "--dta", "x.csv")
    assert run.returncode == 2
    assert "--data" in run.stderr


@pytest.mark.parametrize(("misspelt", "right"), [(("trian",), "train"), (("export", "conversatons"), "conversations")])
def test_a_misspelt_verb_is_answered_with_the_right_one(misspelt: tuple[str, ...], right: str) -> None:
    run = koki(*misspelt)
    assert run.returncode == 2
    assert f"'{right}'" in run.stderr
