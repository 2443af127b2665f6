"""A run on the hub is asked like a local folder; what a stranger wrote into it names nothing of this machine."""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub import NEW, NOBODY, OLD, Hub, Stored, hub, use_hub

from koki.config import load_config
from koki.errors import BookError, KokiError, RunError
from koki.inference.chef import Chef
from koki.pipeline import TrainResult
from koki.runs.finished import read_run
from koki.runs.pulled import on_hub, run_folder

NAME = "siti/warung"
RUN = Path(NAME)
FILES = (
    "adapter_config.json",
    "adapter_model.safetensors",
    "book.sqlite",
    "chat_template.jinja",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "training_metadata.json",
)


@pytest.fixture
def files(finished_run: TrainResult) -> dict[str, bytes]:
    """What a run has on the hub."""
    return {name: (finished_run.folder / name).read_bytes() for name in FILES}


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, and a cache of its own."""
    monkeypatch.setenv("KOKI_CACHE", str(tmp_path / "koki"))
    (tmp_path / "kosong").mkdir()
    monkeypatch.chdir(tmp_path / "kosong")
    return tmp_path / "kosong"


@pytest.fixture
def there(files: dict[str, bytes], hub_cache: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that has the run, and answers; neither is in a cache, nor is one here."""
    assert not hub_cache.exists()
    assert not list(elsewhere.iterdir())
    with hub({NAME: Stored(False, {OLD: files})}) as served:
        use_hub(served.address, monkeypatch)
        yield served


def changed(files: dict[str, bytes], change: Callable[[dict[str, Any]], object]) -> dict[str, bytes]:
    """The files with another run card."""
    card = json.loads(files["training_metadata.json"])
    change(card)
    return files | {"training_metadata.json": json.dumps(card).encode()}


# ------------------------------------------------------------------------------------------------------- which is meant


@pytest.mark.usefixtures("elsewhere")
def test_a_name_means_the_hub_where_no_folder_is_meant() -> None:
    assert on_hub(RUN) == (NAME, None)
    assert on_hub(Path("siti/warung@v1.0")) == (NAME, "v1.0")


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    "text",
    ["warung", "runs/warung", "./runs/warung", "a/b/c", "/siti/warung", "../siti/warung", "siti/w--x", "siti/a..b",
     "~/warung", "gguf/warung.gguf", "siti/warung@", "siti/-warung", "siti/wa rung", "siti/warung@../x"],
)  # fmt: skip
def test_what_looks_like_a_folder_is_never_asked_for_on_the_hub(text: str) -> None:
    assert on_hub(Path(text)) is None


def test_a_folder_of_that_name_wins_and_so_does_one_that_it_would_lie_in(there: Hub, elsewhere: Path) -> None:
    (elsewhere / "siti").mkdir()
    with pytest.raises(RunError, match="There is no run folder siti/warung"):
        read_run(RUN)
    (elsewhere / NAME).mkdir()
    with pytest.raises(RunError, match="not a finished run"):
        read_run(RUN)
    assert not there.asked


# --------------------------------------------------------------------------------------------------------------- asked


@pytest.mark.usefixtures("there")
def test_nothing_is_written_into_the_cache_of_the_hubs_library(hub_cache: Path) -> None:
    run = read_run(RUN)
    before = {path: path.stat().st_mtime_ns for path in hub_cache.rglob("*")}
    Chef.load(run, engine="llama.cpp")
    assert (run.folder / "gguf" / "warung-f16.gguf").is_file()
    assert hub_cache not in run.folder.parents
    assert {path: path.stat().st_mtime_ns for path in hub_cache.rglob("*")} == before


def test_a_second_time_only_the_commit_is_asked_for(there: Hub) -> None:
    read_run(RUN)
    there.asked.clear()
    read_run(RUN)
    assert there.asked == [f"GET /api/models/{NAME}"]


@pytest.mark.usefixtures("there")
def test_where_the_hub_is_out_of_reach_what_was_had_earlier_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = read_run(RUN).folder
    use_hub(NOBODY, monkeypatch)
    assert read_run(RUN).folder == folder
    shutil.rmtree(folder)  # the library's cache has it still
    assert read_run(RUN).folder == folder


def test_a_newer_commit_takes_the_place_of_the_older_one_and_keeps_its_gguf_files(
    there: Hub, files: dict[str, bytes]
) -> None:
    folder = read_run(RUN).folder
    (folder / "gguf").mkdir()
    (folder / "gguf" / "warung-f16.gguf").touch()
    (folder / "report").mkdir()
    newer = {name: content for name, content in files.items() if name != "book.sqlite"}
    there.repositories[NAME].commits[NEW] = newer
    assert read_run(RUN).folder == folder
    assert not (folder / "book.sqlite").exists()
    assert not (folder / "report").exists()
    assert (folder / "gguf" / "warung-f16.gguf").is_file()


def test_a_revision_can_be_asked_for_beside_the_newest(there: Hub, files: dict[str, bytes]) -> None:
    there.repositories[NAME].commits[NEW] = changed(files, lambda card: card.update(system_prompt="Lain."))
    assert read_run(Path(f"{NAME}@{OLD}")).card["system_prompt"] != "Lain."
    assert read_run(RUN).card["system_prompt"] == "Lain."


@pytest.mark.usefixtures("hub_cache", "elsewhere")
def test_a_run_that_nobody_has_is_an_error_that_says_where_it_was_looked_for() -> None:
    with pytest.raises(RunError, match="no run folder siti/warung here, and from the hub it cannot be had"):
        Chef.load(NAME)


def test_a_private_run_is_an_error_until_one_is_logged_in(there: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    there.repositories[NAME].private = True
    there.users["hf_rahasia"] = ("siti", False)
    with pytest.raises(RunError, match="hf auth login"):
        read_run(RUN)
    monkeypatch.setenv("HF_TOKEN", "hf_rahasia")
    assert read_run(RUN).folder.name == "warung"


# --------------------------------------------------------------------------------------------------------- of strangers


def test_only_files_that_a_chef_reads_are_taken(there: Hub, files: dict[str, bytes], hub_cache: Path) -> None:
    evil = ("config.yaml", "adapter_model.bin", "modeling_jahat.py", "config.json", "gguf/warung-f16.gguf", ".lock")
    there.repositories[NAME].commits[NEW] = files | dict.fromkeys(evil, b"data: {files: [/etc/passwd]}")
    folder = read_run(RUN).folder
    taken = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    assert taken == {*FILES, ".commit"}
    assert not {path.name for path in hub_cache.rglob("*")} & {Path(name).name for name in evil}


@pytest.mark.usefixtures("small_base")
@pytest.mark.parametrize("base", ["/srv/rahasia", "C:\\rahasia", "\\\\jahat\\bersama", "../dasar", "./mini", "dasar"])
def test_a_base_that_is_a_folder_of_this_machine_is_refused(
    there: Hub, files: dict[str, bytes], elsewhere: Path, small_base: Path, base: str
) -> None:
    shutil.copytree(small_base, elsewhere / "dasar")

    def name_it(card: dict[str, Any]) -> None:
        card["base_model"] |= {"location": base, "name": base}
        card["settings"]["model.name"] = base

    there.repositories[NAME].commits[NEW] = changed(files, name_it)
    with pytest.raises(RunError, match="which is not on the hub"):
        Chef.load(NAME)


def test_settings_of_a_stranger_name_no_folder_here(there: Hub, files: dict[str, bytes], elsewhere: Path) -> None:
    (elsewhere / "dasar").mkdir()

    def name_them(card: dict[str, Any]) -> None:
        card["settings"] |= {
            "model.name": str(elsewhere / "dasar"),
            "data.files": ["/etc/passwd", "..\\..\\resep.csv", "data/*.csv"],
            "output": "/home/siti/warung",
        }

    there.repositories[NAME].commits[NEW] = changed(files, name_them)
    settings = load_config(settings=read_run(RUN).settings)
    assert settings.model.name == "mini"
    assert settings.data.files == ("passwd", "resep.csv", "*.csv")
    assert settings.output == "warung"


def test_an_adapter_says_nothing_about_where_its_base_lies(there: Hub, files: dict[str, bytes]) -> None:
    adapter = json.loads(files["adapter_config.json"]) | {"base_model_name_or_path": "/srv/rahasia", "auto_mapping": {}}
    there.repositories[NAME].commits[NEW] = files | {"adapter_config.json": json.dumps(adapter).encode()}
    assert Chef.load(NAME, engine="transformers").ask("Resep?", max_new_tokens=2, book=False).tokens == 2


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("training_metadata.json", b"[]", RunError),
        ("training_metadata.json", b"[" * 100_000, RunError),
        ("adapter_model.safetensors", b"\x80\x04.", KokiError),
        ("adapter_config.json", b'{"peft_type": "LORA", "modules_to_save": ["lm_head"]}', KokiError),
        ("book.sqlite", b"SQLite format 3\0" + bytes(500), BookError),
        ("chat_template.jinja", b"{{ messages.__class__.__mro__ }}", KokiError),
    ],
)
def test_what_is_damaged_or_hostile_is_an_error(
    there: Hub, files: dict[str, bytes], name: str, content: bytes, error: type[KokiError]
) -> None:
    there.repositories[NAME].commits[NEW] = files | {name: content}
    with pytest.raises(error):
        Chef.load(NAME, engine="llama.cpp")


@pytest.mark.parametrize("missing", ["training_metadata.json", "adapter_model.safetensors"])
def test_a_repository_that_is_no_run_is_an_error(there: Hub, files: dict[str, bytes], missing: str) -> None:
    there.repositories[NAME].commits[NEW] = {name: it for name, it in files.items() if name != missing}
    with pytest.raises(RunError, match=f"no run of Koki's: it has no {missing}"):
        run_folder(RUN)


@pytest.mark.usefixtures("there")
@pytest.mark.skipif(sys.platform == "win32", reason="who may write where is said there in another way")
def test_a_cache_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "koki" / "runs").mkdir(parents=True)
    (tmp_path / "koki" / "runs").chmod(0o777)
    with pytest.raises(RunError, match="others may write to"):
        run_folder(RUN)
