"""The account of what was read: totals, reasons, and how it looks."""

import csv
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from koki.errors import ConfigError, DataError
from koki.recipes.findings import Oddity, Reason
from koki.recipes.report import DataReport, DroppedRow, FileReport, Spread, Warned, some


def report() -> DataReport:
    dropped = [DroppedRow("a.csv", line, "Soto", Reason.DUPLICATE, f"b.csv:{line}") for line in range(2, 8)]
    first = FileReport(
        path="a.csv",
        sha256="0" * 64,
        bytes=100,
        encoding="UTF-16",
        delimiter="\t",
        header=["Judul", "Steps", "[b]Foto"],
        columns={"title": "Judul", "steps": "Steps"},
        ignored=["[b]Foto"],
        rows_read=10,
        rows_kept=3,
        dropped=[*dropped, DroppedRow("a.csv", 9, "", Reason.NO_TITLE)],
        warnings=[Warned(Oddity.FEWER_FIELDS, 1, [4]), Warned(Oddity.UNREADABLE, 1004, [2, 5])],
    )
    second = FileReport("b.csv", "1" * 64, 50, "UTF-8", ",", ["Title"], {"title": "Title"}, [], 2000, 2000)
    return DataReport([first, second], {"steps": Spread.of([1, 4, 6, 9])})


def shown(what: DataReport, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(what.render())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_totals_are_those_of_all_files() -> None:
    assert (report().rows_read, report().rows_kept) == (2010, 2003)


def test_duplicates_are_one_reason_wherever_the_first_copy_stands() -> None:
    assert report().dropped_by_reason == {"exact duplicate": 6, "no title": 1}
    assert report().duplicates == 6


def test_exact_and_near_duplicates_are_counted_apart() -> None:
    near = DroppedRow("b.csv", 3, "Sop", Reason.NEAR_DUPLICATE, "a.csv:2")
    second = FileReport("b.csv", "", 9, "UTF-8", ",", [], {}, [], 1, 0, [near])
    both = DataReport([report().files[0], second])
    assert both.dropped_by_reason == {"exact duplicate": 6, "no title": 1, "near-duplicate": 1}
    assert (both.as_dict()["duplicates"], both.as_dict()["near_duplicates"]) == (6, 1)


def test_the_spread_of_counts() -> None:
    assert Spread.of([9, 1, 4, 6]) == Spread(min=1, median=5, max=9)


def test_a_spread_needs_counts() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (min's own)
        Spread.of([])


def test_the_report_survives_json() -> None:
    again = json.loads(json.dumps(report().as_dict()))
    assert again == report().as_dict()
    assert again["dropped_by_reason"]["no title"] == 1
    assert again["lengths"]["steps"] == {"min": 1, "median": 5, "max": 9}
    assert again["files"][0]["dropped"][0]["of"] == "b.csv:2"
    assert again["files"][0]["dropped"][-1] == {
        "file": "a.csv",
        "line": 9,
        "title": "",
        "reason": "no title",
        "of": "",
        "sheet": "",
    }
    assert again["files"][0]["warnings"][0] == {
        "oddity": "fewer fields than the header",
        "rows": 1,
        "lines": [4],
        "sheet": "",
        "option": "",
    }


def test_a_reader_sees_files_reasons_with_lines_warnings_and_lengths() -> None:
    text = shown(report())
    assert "2,010" in text
    assert "title ← Judul, steps" in text
    assert "tab" in text
    assert "a.csv:2, a.csv:3, a.csv:4 and 3 more" in text
    assert "a.csv: fewer fields than the header: 1 row, at line 4" in text
    assert "a.csv: characters that cannot be read were left out: 1,004 rows, at line 2, 5 and 1,002 more" in text
    assert "steps" in text


def test_brackets_in_a_column_name_are_no_markup() -> None:
    assert "ignored: [b]Foto" in shown(report())


def test_a_file_without_faults_has_no_table_of_faults() -> None:
    assert "Dropped rows" not in shown(DataReport(report().files[1:]))


@pytest.mark.parametrize(("items", "text"), [([], ""), ([2], "2"), ([2, 3], "2, 3"), ([2, 3, 4, 5], "2, 3 and 2 more")])
def test_some_of_many(items: list[int], text: str) -> None:
    assert some(items, 2) == text


# ---- the dropped rows as a file


def test_dropped_rows_are_written_as_csv(tmp_path: Path) -> None:
    title = 'Soto "enak", kuah'
    rows = [
        DroppedRow("a.csv", 7, title, Reason.NO_TITLE),
        DroppedRow("b\udcff.csv", 9, "", Reason.DUPLICATE, "a.csv:2"),
    ]
    file = FileReport("a.csv", "", 9, "UTF-8", ",", [], {}, [], 2, 0, rows)
    DataReport([file]).save_dropped(tmp_path / "buangan.csv")
    with (tmp_path / "buangan.csv").open(encoding="utf-8", errors="surrogateescape", newline="") as written:
        assert list(csv.reader(written)) == [
            ["file", "sheet", "line", "reason", "title"],
            ["a.csv", "", "7", "no title", title],
            ["b\udcff.csv", "", "9", "exact duplicate of a.csv:2", ""],
        ]


def test_an_earlier_list_of_dropped_rows_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "buangan.csv"
    report().save_dropped(path)
    DataReport().save_dropped(path)
    assert path.read_text() == "file,sheet,line,reason,title\n"


def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "resep.csv"
    path.write_text("Title,Ingredients,Steps\n")
    with pytest.raises(ConfigError, match="is not what this command writes"):
        report().save_dropped(path)
    assert path.read_text() == "Title,Ingredients,Steps\n"


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1"])
def test_a_spreadsheet_takes_no_text_of_a_dropped_row_for_a_formula(tmp_path: Path, text: str) -> None:
    shown = text.replace("\r", " ")
    row = DroppedRow(f"{text}.csv", 7, text, Reason.NO_STEPS, "", text)
    file = FileReport("a.csv", "", 9, "UTF-8", ",", [], {}, [], 2, 0, [row])
    DataReport([file]).save_dropped(tmp_path / "buangan.csv")
    with (tmp_path / "buangan.csv").open(encoding="utf-8", newline="") as written:
        _, (name, sheet, line, _, title) = csv.reader(written)
    assert (name, sheet, line, title) == (f"'{shown}.csv", f"'{shown}", "7", f"'{shown}")


@pytest.mark.parametrize("name", ["tiada/buangan.csv", ".", "a\0b"])
def test_a_place_that_cannot_be_written_to_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="cannot be written"):
        report().save_dropped(tmp_path / name)


# ---- files and their columns, as a terminal of 80 columns shows them


def lines_of(*paths: str) -> list[str]:
    files = [FileReport(path, "", 9, "UTF-8", ",", ["Title"], {"title": "Title"}, [], 5, 5) for path in paths]
    return [line.strip() for line in shown(DataReport(files), width=80).splitlines()]


def names_in(lines: list[str]) -> list[str]:
    return [line.split()[1] for line in lines if "UTF-8" in line]


def test_a_file_goes_by_its_name_under_the_folder_it_is_in() -> None:
    lines = lines_of("/home/ibu/resep/nusantara/lama/ayam.csv", "/home/ibu/resep/nusantara/lama/ikan.csv")
    assert lines[0] == "Files in /home/ibu/resep/nusantara/lama"
    assert names_in(lines) == ["ayam.csv", "ikan.csv"]


def test_files_of_one_name_are_told_apart_by_their_folders() -> None:
    lines = lines_of("data/lama/resep.csv", "data/baru/resep.csv", "ikan.csv")
    assert names_in(lines) == ["lama/resep.csv", "baru/resep.csv", "ikan.csv"]


def test_paths_that_name_one_file_are_shown_as_they_are() -> None:
    assert names_in(lines_of("./resep.csv", "resep.csv", "resep.csv")) == ["./resep.csv", "resep.csv", "resep.csv"]


def test_columns_that_all_files_share_are_told_once() -> None:
    assert [line for line in lines_of("a.csv", "b.csv") if "Columns" in line] == ["Columns: title"]


def test_columns_that_differ_are_told_file_by_file() -> None:
    text = shown(report())
    assert "Columns of a.csv: title ← Judul, steps; ignored: [b]Foto" in text
    assert "Columns of b.csv: title" in text
