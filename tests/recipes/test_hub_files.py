"""Data sets on the Hugging Face hub are recipe files: found by name, pinned to a commit, read as a stream."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub import NEW, NOBODY, OLD, Hub, Stored, hub, use_hub

from koki.cli.app import app
from koki.config import from_anywhere, load_config
from koki.data.recipes import check_files
from koki.errors import DataError, RecipeFileNotFound
from koki.recipes.sources import find_files
from koki.recipes.table import read_recipes
from koki.runs.card import plain_name

CSV = "Title,Ingredients,Steps\n{},1 ekor ayam--2 batang serai,Rebus ayam--Sajikan\n"
SOTO = {"Title": "Soto", "Ingredients": ["ayam", "serai"], "Steps": "Rebus ayam sampai empuk."}
FILES = {
    "README.md": b"# Resep",
    "data/train.csv": CSV.format("Soto Ayam").encode(),
    "data/test.csv.gz": gzip.compress(CSV.format("Sop Buntut").encode("utf-16")),
    "data/more/a.jsonl": json.dumps(SOTO | {"Title": "Rawon"}).encode(),
    "catatan.txt": b"Soto Bening\nBahan:\nayam\ngaram\nCara membuat:\nRebus ayam.\nSajikan.\n",
}
DATA = "hf://datasets/dapur/resep"


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with a data set that has an old and a new commit."""
    stored = {"datasets/dapur/resep": Stored(False, {OLD: {"lama.csv": CSV.format("Gulai").encode()}, NEW: FILES})}
    stored["datasets/dapur/gambar"] = Stored(False, {NEW: {"a.png": b""}})
    with hub(stored) as served:
        use_hub(served.address, monkeypatch)
        yield served


@pytest.mark.usefixtures("there")
def test_a_data_set_is_its_files_of_data_at_the_newest_commit() -> None:
    names = ["data/more/a.jsonl", "data/test.csv.gz", "data/train.csv"]
    assert find_files([DATA]) == [f"{DATA}@{NEW}/{name}" for name in names]
    assert [recipe.title for recipe in read_recipes(DATA)] == ["Rawon", "Sop Buntut", "Soto Ayam"]


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/data/train.csv", ["data/train.csv"]),
        ("/data/*.csv*", ["data/test.csv.gz", "data/train.csv"]),
        ("/**/*.jsonl", ["data/more/a.jsonl"]),
        ("/data/more", ["data/more/a.jsonl"]),
        ("/catatan.txt", ["catatan.txt"]),
        (f"@{NEW}/data/train.csv", ["data/train.csv"]),
        ("@main/catatan.txt", ["catatan.txt"]),
    ],
)
def test_a_path_names_a_file_a_folder_or_a_pattern(path: str, found: list[str]) -> None:
    assert find_files([DATA + path]) == [f"{DATA}@{NEW}/{name}" for name in found]


@pytest.mark.usefixtures("there")
def test_an_older_commit_is_read_by_its_name() -> None:
    recipes = read_recipes(f"{DATA}@{OLD}")
    assert [recipe.place for recipe in recipes] == [f"{DATA}@{OLD}/lama.csv:2"]
    assert recipes.report.files[0].path == f"{DATA}@{OLD}/lama.csv"
    assert recipes.report.files[0].bytes == len(CSV.format("Gulai"))


def test_a_file_of_a_commit_is_found_without_a_question(there: Hub) -> None:
    assert find_files([f"{DATA}@{NEW}/data/train.csv"]) == [f"{DATA}@{NEW}/data/train.csv"]
    assert not there.asked


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("hf://datasets/dapur/gambar", "Files of data in it: nothing"),
        (f"{DATA}/tidak.csv", "Files of data in it: data/train.csv, data/test.csv.gz, data/more/a.jsonl"),
        (f"{DATA}@{NEW}/tidak.csv", "There is no recipe file"),
        ("hf://datasets/dapur/tiada", "there is no such repository, or it is private"),
        (f"{DATA}@tiada", "it has no such revision"),
        ("hf://dapur/resep", "names no data set on the Hugging Face hub"),
    ],
)
def test_what_is_not_there_is_an_error_that_says_so(path: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_recipes(path)


def test_a_hub_out_of_reach_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    use_hub(NOBODY, monkeypatch)
    with pytest.raises(DataError, match="cannot be read from the Hugging Face hub"):
        find_files([DATA])


@pytest.mark.usefixtures("there")
def test_parquet_is_read_in_parts(tmp_path: Path, there: Hub) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow, which reads Parquet, is not installed")
    writer = pytest.importorskip("pyarrow.parquet")
    writer.write_table(pyarrow.Table.from_pylist([SOTO]), tmp_path / "r.parquet")
    content = (tmp_path / "r.parquet").read_bytes()
    there.repositories["datasets/dapur/resep"].commits[NEW] = {"r.parquet": content}
    assert [recipe.title for recipe in read_recipes(DATA)] == ["Soto"]


@pytest.mark.usefixtures("there")
def test_a_configuration_takes_it_as_it_is() -> None:
    for path in (DATA, Path(DATA)):  # a Path has one slash for two
        config = from_anywhere(load_config(settings={"data.files": [path]}))
        assert config.data.files == (DATA,)
    assert [digest.path for digest in check_files(config)][-1] == f"{DATA}@{NEW}/data/train.csv"
    with pytest.raises(RecipeFileNotFound):
        check_files(load_config(settings={"data.files": [f"{DATA}/tidak.csv"]}))


@pytest.mark.usefixtures("there")
def test_check_takes_it_and_names_the_commit(capsys: pytest.CaptureFixture[str]) -> None:
    app(["check", f"{DATA}/data/train.csv", "--json"], standalone_mode=False)
    said = json.loads(capsys.readouterr().out)
    assert (said["rows_kept"], said["files"][0]["path"]) == (1, f"{DATA}@{NEW}/data/train.csv")


def test_the_card_of_a_run_has_its_whole_place() -> None:
    assert plain_name(f"{DATA}@{NEW}/data/train.csv") == f"{DATA}@{NEW}/data/train.csv"
    assert plain_name("/home/ibu/resep.csv") == "resep.csv"
