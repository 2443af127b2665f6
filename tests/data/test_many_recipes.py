"""Recipes that do not fit in memory: several processes work on them, and what one makes is what all make.

What is large elsewhere is small here: a few rows are read together, and a few recipes are a part.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import write_csv
from rich.console import Console

from koki.config import RunConfig, load_config
from koki.data import parts as parts_module
from koki.data.build import build_dataset
from koki.data.parts import divided
from koki.data.shards import Shard, build_shard, merge_shards
from koki.errors import ConfigError, DataError
from koki.recipes import table
from koki.recipes.parsing import ParsedRows, Parser, SomeRows
from koki.recipes.stored import StoredRecipes
from koki.recipes.table import read_into, read_recipes

MAINS = ("ayam", "tempe", "tahu", "ikan", "telur", "udang")
WAYS = ("goreng", "rebus", "bakar", "tumis", "kukus")


def rows() -> list[dict[str, str]]:
    """Thirty recipes; then one that repeats another, a near-duplicate, and a row that gives none."""
    found = [
        {
            "Title": f"{main.title()} {way.title()}",
            "Ingredients": f"{number + 1} potong {main}--{number + 2} siung bawang merah--{way} secukupnya garam",
            "Steps": f"{way.title()} {main} {number + 3} menit sampai matang.--Taburi bawang merah nomor {number}.",
        }
        for number, (main, way) in enumerate((main, way) for main in MAINS for way in WAYS)
    ]
    return [*found, found[0], {**found[1], "Steps": found[1]["Steps"] + "!"}, {**found[2], "Ingredients": ""}]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(table, "ROWS_AT_ONCE", 4)
    monkeypatch.setattr(parts_module, "FEWEST", 8)
    monkeypatch.setenv("KOKI_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "resep.csv", rows())


@pytest.fixture
def config(csv: Path) -> RunConfig:
    return load_config(settings={"model.name": "mini", "data.files": [str(csv)], "data.validation_fraction": 0})


def contents(folder: Path) -> dict[str, bytes]:
    """The parts in a folder, wherever in it they lie."""
    return {
        path.name: path.read_bytes() for path in sorted(folder.rglob("*.safetensors")) if path.parent.name != "rows"
    }


# ------------------------------------------------------------------------------------------------------------- reading


def test_recipes_on_disk_are_those_that_are_read_at_once(csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = read_recipes(csv)
    monkeypatch.setattr(table, "ROWS_AT_ONCE", 100)
    at_once = read_recipes(csv)
    assert isinstance(some.kept, StoredRecipes)
    assert isinstance(at_once.kept, tuple)
    assert list(some) == list(at_once)
    assert some.report == at_once.report
    assert (some[3], some[-1], some[5:7]) == (at_once[3], at_once[-1], at_once[5:7])
    assert len(some.report.dropped) == 3


def test_few_recipes_are_read_without_a_place_to_write(csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "ROWS_AT_ONCE", 100)
    monkeypatch.setattr(table, "_work_folder", lambda: pytest.fail("a folder was made"))
    assert len(read_recipes(csv)) == 30


@pytest.mark.slow
def test_two_workers_read_what_one_reads(csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = read_recipes(csv)
    monkeypatch.setenv("KOKI_WORKERS", "2")
    two = read_recipes(csv)
    assert list(two) == list(one)
    assert two.report == one.report


def test_recipes_outlive_what_they_were_taken_from_and_then_their_files_go(csv: Path, tmp_path: Path) -> None:
    some = read_recipes(csv).kept[4:6]
    assert [recipe.title for recipe in some] == ["Ayam Kukus", "Tempe Goreng"]
    del some
    assert [*(tmp_path / "cache").iterdir()] == []


def test_rows_that_were_parsed_before_an_interruption_are_not_parsed_again(
    csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder := tmp_path / "reading").mkdir()
    parse, parsed = Parser._parse, list[str]()

    def interrupted(self: Parser, some: SomeRows) -> ParsedRows:
        parsed.append(some.name)
        if len(parsed) == 4:
            raise KeyboardInterrupt
        return parse(self, some)

    monkeypatch.setattr(Parser, "_parse", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read_into(folder, csv)
    begun = [*parsed]
    (folder / "prints").mkdir(exist_ok=True)
    (folder / "prints" / "0").write_bytes(bytes(12))  # of those before, as they are where there are many
    recipes = read_into(folder, csv)
    assert parsed[4:] == [begun[3], *parsed[5:]]
    assert len({*parsed}) == len(parsed) - 1
    assert list(recipes) == list(read_recipes(csv))


def test_what_was_parsed_of_a_file_that_has_changed_is_parsed_again(csv: Path, tmp_path: Path) -> None:
    (folder := tmp_path / "reading").mkdir()
    read_into(folder, csv)
    write_csv(csv, rows()[5:])
    assert list(read_into(folder, csv)) == list(read_recipes(csv))


# --------------------------------------------------------------------------------------------------------------- parts


def test_the_parts_are_a_function_of_the_number_of_recipes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "MOST_PARTS", 4)
    for recipes, sizes in ((7, [7]), (8, [8]), (9, [8, 1]), (32, [8] * 4), (33, [16, 16, 1])):
        parts = list(divided([f"Soto {number}" for number in range(recipes)]))
        assert [len(part.names) for part in parts] == [*sizes, 0]
        assert [part.start for part in parts] == [sum(sizes[:at]) for at in range(len(parts))]


@pytest.mark.slow
def test_any_number_of_workers_makes_the_same_bytes(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_dataset(config)
    one = contents(tmp_path / "cache")
    monkeypatch.setenv("KOKI_CACHE", str(tmp_path / "another"))
    monkeypatch.setenv("KOKI_WORKERS", "3")
    build_dataset(config)
    assert len(one) == 5
    assert contents(tmp_path / "another") == one


# All parts in a folder, without torch, whose import takes seconds.
BUILD = """
import sys
from importlib.resources import files
from pathlib import Path
from koki.config import load_config
from koki.data import parts
from koki.data.collection import Collection
from koki.data.recipes import RecipesOfRun
from koki.recipes import table
from koki.tokens.file_tokenizer import read_tokenizer
from koki.tokens.template import ChatTemplate
table.ROWS_AT_ONCE, parts.FEWEST = 4, 8
config = load_config(settings={"data.files": [sys.argv[1]], "data.validation_fraction": 0})
(folder := Path(sys.argv[2])).mkdir(exist_ok=True)
recipes = RecipesOfRun(config)
recipes.read_into(folder)
collection = Collection.of(recipes, recipes.places[0])
template = ChatTemplate(read_tokenizer(Path(str(files("koki.model") / "mini"))), "Kamu Koki.")
parts.make_parts([*parts.divided(collection.names)], folder, collection, template, 8192, config)
"""


def start_build(csv: Path, folder: Path, **environment: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", BUILD, str(csv), str(folder)]
    return subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL)


@pytest.mark.slow
def test_any_seed_of_hashes_makes_the_same_bytes(tmp_path: Path, csv: Path) -> None:
    builds = [start_build(csv, tmp_path / seed, PYTHONHASHSEED=seed) for seed in ("1", "2")]
    assert [build.wait() for build in builds] == [0, 0]
    assert len(contents(tmp_path / "1")) == 5
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to another process")
def test_ctrl_c_loses_no_part_that_was_made(tmp_path: Path, csv: Path) -> None:
    folder = tmp_path / "made"
    with start_build(csv, folder, KOKI_WORKERS="2") as build:
        while not contents(folder) and build.poll() is None:
            time.sleep(0.001)
        build.send_signal(signal.SIGINT)
    made = {name: (folder / name).stat().st_ino for name in contents(folder)}
    with start_build(csv, folder) as build:
        assert build.wait() == 0
    kept = {name: (folder / name).stat().st_ino for name in contents(folder)}
    assert made
    assert made.items() <= kept.items()
    assert len(kept) == 5


# -------------------------------------------------------------------------------------------------------------- shards


def test_shards_joined_are_what_one_machine_makes(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = build_dataset(config).digest()
    one = contents(tmp_path / "cache")
    monkeypatch.setenv("KOKI_CACHE", str(tmp_path / "another"))
    quiet = Console(quiet=True)
    counts = [build_shard(config, Shard(number, 2), tmp_path / "parts", quiet) for number in (2, 1)]
    assert counts == [2, 3]
    assert contents(tmp_path / "parts") == one
    assert merge_shards(config, tmp_path / "parts").dataset.digest() == whole
    assert build_dataset(config).digest() == whole


def test_parts_that_are_missing_are_named(config: RunConfig, tmp_path: Path) -> None:
    build_shard(config, Shard(1, 2), tmp_path / "parts", Console(quiet=True))
    with pytest.raises(DataError, match=r"lacks 2 of 5 parts: 1, 3"):
        merge_shards(config, tmp_path / "parts")


def test_other_settings_have_other_parts(config: RunConfig, tmp_path: Path) -> None:
    build_shard(config, Shard(1, 1), tmp_path / "parts", Console(quiet=True))
    other = config.model_copy(update={"seed": 7})
    with pytest.raises(DataError, match="no parts of this training data"):
        merge_shards(other, tmp_path / "parts")


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "a/b", "1/2/3", "-1/2", "1/"])
def test_what_is_no_shard_is_an_error(text: str) -> None:
    with pytest.raises(ConfigError, match="is no shard"):
        Shard.read(text)
