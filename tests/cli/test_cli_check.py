"""`koki check`."""

import json
from pathlib import Path

from commands import ODD, ODD_COLUMNS, koki


def test_check_gives_json_with_columns_and_dropped_rows(tmp_path: Path) -> None:
    file = tmp_path / "resep.csv"
    file.write_text('Judul;Bahan;Langkah\nSoto;"ayam--serai";Rebus ayam.\nKosong;;Rebus.\n', "utf-8")
    report = json.loads(koki("check", str(file), "--json").stdout)
    (read,) = report["files"]
    assert read["delimiter"] == ";"
    assert read["columns"]["title"] == "Judul"
    assert (read["rows_read"], read["rows_kept"]) == (2, 1)
    assert read["dropped"][0]["line"] == 3


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
        "file,sheet,line,reason,title\nresep.csv,,3,ingredients are empty,Kosong\n"
    )


ONE_LINE = "Judul,Bahan,Langkah\n" + "".join(
    f'Uwi {name},"uwi, {name}, garut","Kukus uwi."\n' for name in ("gembili", "gembolo")
)


def test_check_shows_a_recipe_as_it_was_understood_beside_its_text(tmp_path: Path) -> None:
    (tmp_path / "resep.csv").write_text(
        'Judul,Bahan,Langkah\nSoto,"1 ekor ayam,2 siung bawang","Rebus ayam."\n', "utf-8"
    )
    shown = koki("check", "resep.csv", "--items", "steps=#", cwd=tmp_path).stdout
    assert "1 ekor ayam,2 siung bawang" in shown
    assert "2 siung | bawang" in shown


def test_check_names_the_separator_it_suspects_and_takes_it(tmp_path: Path) -> None:
    (tmp_path / "resep.csv").write_text(ONE_LINE, "utf-8")
    refused = koki("check", "resep.csv", cwd=tmp_path)
    assert 'perhaps --items ","' in " ".join(refused.stderr.split())
    report = json.loads(koki("check", "resep.csv", "--items", ",", "--json", cwd=tmp_path).stdout)
    assert (report["rows_kept"], report["lengths"]["ingredients"]["median"]) == (2, 3)
    assert [item["name"] for item in report["example"]["read"]["ingredients"]] == ["uwi", "gembili", "garut"]
