"""Workbooks of Excel and LibreOffice: which sheet, which row is the header, and what a cell says."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from workbooks import Cell, Rows, ods, xlsx, xlsx_parts, zipped

from koki.errors import DataError
from koki.recipes import workbook
from koki.recipes.findings import Oddity
from koki.recipes.recipe import Recipe
from koki.recipes.report import DataReport
from koki.recipes.table import read_recipes, require_files
from koki.recipes.workbook import Workbook

HEADER: list[Cell] = ["Judul", "Bahan", "Langkah"]
SOTO: list[Cell] = ["Soto Ayam", "1 ekor ayam\n2 batang serai", "Rebus ayam\nSajikan"]
SOP: list[Cell] = ["Sop Iga", "1 kg iga\n2 buah wortel", "Rebus iga\nMasukkan wortel"]

both = pytest.mark.parametrize(("make", "name"), [(xlsx, "resep.xlsx"), (ods, "resep.ods")], ids=["xlsx", "ods"])
Make = Callable[[dict[str, Rows]], bytes]


def save(folder: Path, raw: bytes, name: str = "resep.xlsx") -> Path:
    (folder / name).write_bytes(raw)
    return folder / name


def read(folder: Path, raw: bytes, **options: Any) -> tuple[list[Recipe], DataReport]:
    recipes = read_recipes(save(folder, raw), **options)
    return list(recipes), recipes.report


def raw_lines(recipe: Recipe) -> list[str]:
    return [item.raw for item in recipe.ingredients]


@both
def test_a_row_of_a_sheet_becomes_a_recipe_with_its_sheet_and_row(tmp_path: Path, make: Make, name: str) -> None:
    path = save(tmp_path, make({"Menu": [HEADER, SOTO]}), name)
    recipes = read_recipes(path)
    [recipe], report = recipes, recipes.report
    assert (recipe.title, raw_lines(recipe)) == ("Soto Ayam", ["1 ekor ayam", "2 batang serai"])
    assert recipe.steps == ("Rebus ayam", "Sajikan")
    assert recipe.place == f"{path}:Menu:2"
    assert (report.files[0].encoding, report.files[0].sheets) == ({"x": "Excel", "o": "LibreOffice"}[name[6]], ["Menu"])


@both
def test_a_workbook_is_known_by_its_content(tmp_path: Path, make: Make, name: str) -> None:
    assert len(read_recipes(save(tmp_path, make({"Menu": [HEADER, SOTO]}), f"{name}.csv"))) == 1


@both
def test_the_header_may_stand_below_a_title_and_blank_rows(tmp_path: Path, make: Make, name: str) -> None:
    rows: Rows = [["Resep warung"], [], ["Nama", "Ibu"], [None, *HEADER], [None, *SOTO], [], [None, *SOP]]
    recipes = read_recipes(save(tmp_path, make({"Menu": rows}), name))
    report = recipes.report
    assert [(recipe.title, recipe.line) for recipe in recipes] == [("Soto Ayam", 5), ("Sop Iga", 7)]
    assert report.rows_read == 2


def test_every_visible_sheet_that_has_the_columns_is_read_and_the_others_are_told(tmp_path: Path) -> None:
    sheets: dict[str, Rows] = {
        "Belanja": [["barang", "harga"], ["telur", 2000]],
        "Ayam": [HEADER, SOTO],
        "Lama": [HEADER, ["Opor", "ayam\nsantan", "Rebus"]],
        "Sapi": [["Langkah", "Judul", "Bahan"], [SOP[2], SOP[0], SOP[1]]],
    }
    recipes, report = read(tmp_path, xlsx(sheets, hidden=["Lama"]))
    assert [(recipe.title, recipe.sheet) for recipe in recipes] == [("Soto Ayam", "Ayam"), ("Sop Iga", "Sapi")]
    assert (report.files[0].sheets, report.files[0].sheets_unread) == (["Ayam", "Sapi"], ["Belanja", "Lama"])


@pytest.mark.parametrize("wanted", ["Sapi", " sapi"])
def test_a_sheet_that_is_named_is_the_only_one(tmp_path: Path, wanted: str) -> None:
    path = save(tmp_path, xlsx({"Ayam": [HEADER, SOTO], "Sapi": [HEADER, SOP]}, hidden=["Sapi"]))
    recipes = read_recipes(path, sheet=wanted)
    assert [recipe.title for recipe in recipes] == ["Sop Iga"]
    require_files(path, sheet=wanted)


@pytest.mark.parametrize("read_it", [read_recipes, require_files])
def test_a_sheet_that_is_not_there_is_an_error_with_those_that_are(tmp_path: Path, read_it: Any) -> None:
    path = save(tmp_path, xlsx({"Ayam": [HEADER, SOTO], "Sapi": [HEADER, SOP]}))
    with pytest.raises(DataError, match=r"has no sheet 'Sapy'\. Did you mean 'Sapi'\?") as raised:
        read_it(path, sheet="Sapy")
    assert raised.value.how == "Its sheets: Ayam, Sapi."


def test_a_file_that_has_no_sheets_is_told_from_one_that_lacks_the_sheet(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("Judul,Bahan,Langkah\n")
    with pytest.raises(DataError, match="is no workbook and has no sheet 'Ayam'"):
        read_recipes(tmp_path / "r.csv", sheet="Ayam")


def test_a_workbook_without_the_columns_names_the_sheet_and_its_header(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"sheet 'Menu', has no column for steps\. Its header is: Judul, Bahan"):
        read(tmp_path, xlsx({"Kosong": [], "Menu": [["Judul", "Bahan"], ["Soto", "ayam"]]}))


@pytest.mark.parametrize("sheets", [{}, {"Kosong": []}])
def test_a_workbook_with_nothing_in_it_is_an_error(tmp_path: Path, sheets: dict[str, Rows]) -> None:
    with pytest.raises(DataError):
        read(tmp_path, xlsx(sheets))


def test_where_a_row_was_dropped_or_is_odd_is_told_with_its_sheet(tmp_path: Path) -> None:
    odd: list[Cell] = ["Opor\ufffd", "ayam\nsantan", "Rebus ayam"]
    sheets: dict[str, Rows] = {"Ayam": [HEADER, SOTO, ["Sop", None, "Rebus"], odd], "Sapi": [HEADER, SOTO, [], odd]}
    _, report = read(tmp_path, xlsx(sheets))
    [file] = report.files
    assert [(it.sheet, it.line, it.reason) for it in file.dropped] == [
        ("Ayam", 3, "ingredients are empty"),
        ("Sapi", 2, "exact duplicate"),
        ("Sapi", 4, "exact duplicate"),
    ]
    assert file.dropped[1].of == f"{file.path}:Ayam:2"
    assert str(file.warnings[0]).endswith("1 row, of sheet Ayam, at row 4")


# ----------------------------------------------------------------------------------------------------- what a cell says


@both
@pytest.mark.parametrize(
    ("value", "text"),
    [(2, "2"), (1.5, "1.5"), (0.1 + 0.2, "0.3"), (10**15, "1e+15"), ("1 sdt\ngaram", "1 sdt\ngaram"), (" x ", "x")],
)
def test_a_cell_is_read_as_it_was_typed(make: Make, name: str, value: Cell, text: str) -> None:
    [row] = Workbook(make({"M": [["Soto", None, value]]}), name).rows("M")
    assert row.fields == ["Soto", "", text]


@both
@pytest.mark.parametrize("day", [date(2024, 2, 1), date(2024, 1, 2)])
def test_a_fraction_that_excel_took_for_a_date_is_a_fraction_again_and_told(
    tmp_path: Path, make: Make, name: str, day: date
) -> None:
    rows: Rows = [
        ["Judul", "Jumlah", "Satuan", "Bahan", "Langkah"],
        ["Soto", 1, "ekor", "ayam", "Rebus ayam"],
        [None, day, "sdt", "garam", "Sajikan"],
        [None, 2, "batang", "serai", None],
    ]
    recipes = read_recipes(save(tmp_path, make({"M": rows}), name))
    [recipe], report = recipes, recipes.report
    assert raw_lines(recipe) == ["1 ekor ayam", "1/2 sdt garam", "2 batang serai"]
    assert Oddity.DATE in [warning.oddity for warning in report.files[0].warnings]


# ------------------------------------------------------------------------------------------------------ what is refused


def test_a_locked_workbook_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(100)
    with pytest.raises(DataError, match="is locked with a password"):
        read(tmp_path, locked)
    with pytest.raises(DataError, match="damaged workbook or zip archive"):
        read(tmp_path, xlsx({"M": [HEADER, SOTO]})[:900])


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("xl/worksheets/sheet1.xml", "<worksheet><sheetData>"),
        ("xl/worksheets/sheet1.xml", ""),
        ("xl/sharedStrings.xml", "<sst/>"),
        ("xl/workbook.xml", "no XML"),
        ("xl/workbook.xml", "<workbook/>"),
        ("xl/_rels/workbook.xml.rels", "<Relationships/>"),
    ],
    ids=range(6),
)
def test_a_workbook_with_a_damaged_part_is_an_error(tmp_path: Path, part: str, content: str) -> None:
    with pytest.raises(DataError):
        read(tmp_path, zipped(xlsx_parts({"M": [HEADER, SOTO]}) | {part: content}))


def test_pictures_in_a_workbook_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_BYTES", 2**16)
    parts: dict[str, str | bytes] = {**xlsx_parts({"M": [HEADER, SOTO]}), "xl/media/image1.png": bytes(2**17)}
    assert len(read(tmp_path, zipped(parts))[0]) == 1
