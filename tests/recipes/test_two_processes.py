"""Large files are read by two processes, to what one reads."""

import os
from pathlib import Path

import pytest

from koki.errors import DataError
from koki.recipes import table
from koki.recipes.table import read_recipes, two_halves


def files_of_recipes(folder: Path) -> list[Path]:
    """Three files, of which the last has a recipe of the first, a row that is dropped and an oddity."""
    rows = [
        "Soto Ayam,1 ekor ayam--2 batang serai--garam,Rebus ayam.--Sajikan hangat.\n",
        "Tempe Orek,1 papan tempe--3 sdm kecap manis--garam,Goreng tempe.--Masukkan kecap.\n",
        "Soto Ayam,1 ekor ayam--2 batang serai--garam,Rebus ayam.--Sajikan hangat.\nnan,air,Rebus.\n"
        "Telur Dadar â€“ Padang,3 butir telur--garam--daun bawang,Kocok telur.--Goreng.\n",
    ]
    files = [folder / f"resep-{number}.csv" for number in range(len(rows))]
    for file, text in zip(files, rows, strict=True):
        file.write_text("Title,Ingredients,Steps\n" + text, "utf-8")
    return files


@pytest.fixture
def always_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if small files were worth a second process, on a machine with two cores."""
    monkeypatch.setattr(table, "WORTH_A_PROCESS", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def test_two_processes_read_what_one_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = files_of_recipes(tmp_path)
    recipes = read_recipes(*files)
    monkeypatch.setattr(table, "WORTH_A_PROCESS", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    by_two = read_recipes(*files)
    assert list(by_two) == list(recipes)
    assert by_two.report.as_dict() == recipes.report.as_dict()


@pytest.mark.usefixtures("always_two")
def test_an_error_of_the_other_process_arrives_as_it_is(tmp_path: Path) -> None:
    files = files_of_recipes(tmp_path)
    files[2].write_text("Satu,Dua\n1,2\n", "utf-8")
    with pytest.raises(DataError, match=r"resep-2\.csv"):
        read_recipes(*files)


@pytest.mark.usefixtures("always_two")
@pytest.mark.parametrize("python", ["/no/such/python", "/bin/false"])
def test_without_the_other_process_all_is_read_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    monkeypatch.setattr("sys.executable", python)
    assert len(read_recipes(*files_of_recipes(tmp_path))) == 3


@pytest.mark.usefixtures("always_two")
def test_the_files_are_halved_by_their_size(tmp_path: Path) -> None:
    sizes = [10, 10, 10, 1_000]
    files = [str(tmp_path / f"{number}.csv") for number in range(len(sizes))]
    for file, size in zip(files, sizes, strict=True):
        Path(file).write_bytes(bytes(size))
    assert two_halves(files) == (files[:3], files[3:])
    assert two_halves(files[:1]) == (files[:1], [])


def test_small_files_are_not_worth_a_process(tmp_path: Path) -> None:
    files = [str(file) for file in files_of_recipes(tmp_path)]
    assert two_halves(files) == (files, ())
