"""What of a run is published: a list; no recipes unasked, and nothing that names a folder of this machine."""

import json
import shutil
from pathlib import Path

import pytest
from helpers import SOTO

from koki.book.store import Book
from koki.errors import RunError
from koki.export.published import parcel_of
from koki.pipeline import TrainResult
from koki.report.write import write_report
from koki.runs.finished import read_run

NAME = "siti/warung"
WITHOUT_RECIPES = [
    "README.md",
    "training_metadata.json",
    "adapter_config.json",
    "adapter_model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "generation_config.json",
    "report/curves.png",
]


@pytest.fixture
def run(finished_run: TrainResult, tmp_path: Path) -> Path:
    """A finished run with all that there may be in one."""
    folder = Path(shutil.copytree(finished_run.folder, tmp_path / "dapur-rahasia" / "warung"))
    write_report(folder)
    for name in ("report/scorecard.json", "report/scorecard-q8_0.json", "report/questions.json", "feedback.jsonl"):
        (folder / name).write_text("{}")
    (folder / "catatan.txt").write_text("resep nenek")
    (folder / "gguf").mkdir(exist_ok=True)
    return folder


def published(run: Path, *, with_book: bool) -> dict[str, bytes]:
    with parcel_of(read_run(run), NAME, with_book=with_book) as parcel:
        return {name: file.read_bytes() for name, file in parcel.files.items()}


def test_without_a_word_no_file_with_recipes_is_published(run: Path) -> None:
    files = published(run, with_book=False)
    assert list(files) == WITHOUT_RECIPES
    recipe = SOTO["Ingredients"].split("--")
    assert not [name for name, content in files.items() if recipe[1].encode() in content]
    assert json.loads(files["training_metadata.json"])["book"] is None
    assert b"book.sqlite" not in files["README.md"]


def test_with_the_book_go_the_report_and_the_scorecard_that_show_recipes_too(run: Path) -> None:
    files = published(run, with_book=True)
    assert list(files) == [*WITHOUT_RECIPES, "book.sqlite", "report/report.html", "report/scorecard.json"]
    assert json.loads(files["training_metadata.json"])["book"] == "book.sqlite"
    assert b"The recipes themselves are in `book.sqlite`" in files["README.md"]


@pytest.mark.parametrize("with_book", [False, True])
def test_nothing_that_is_published_names_a_folder_of_this_machine(run: Path, with_book: bool) -> None:
    import koki

    home = str(Path(koki.__file__).parent).encode()
    for name, content in published(run, with_book=with_book).items():
        assert b"dapur-rahasia" not in content, name
        assert home not in content, name
    adapter = json.loads(published(run, with_book=with_book)["adapter_config.json"])
    assert adapter["base_model_name_or_path"] == "mini"


def test_all_that_stays_here_is_listed_with_its_reason(run: Path) -> None:
    with parcel_of(read_run(run), NAME, with_book=False) as parcel:
        left_out = parcel.left_out
    assert left_out["book.sqlite"] == left_out["report/report.html"] == "has recipes in it: --with-book"
    assert left_out["config.yaml"] == "names folders of this machine"
    assert left_out["catatan.txt"] == "is none of the files that Koki makes"
    assert {"checkpoint-12/", "tensorboard/", "gguf/", "feedback.jsonl", "recipes.json", ".lock"} <= set(left_out)
    here = {path.relative_to(run).as_posix() + ("/" if path.is_dir() else "") for path in run.glob("*")}
    here |= {path.relative_to(run).as_posix() for path in run.glob("report/*")}
    assert {*left_out, *WITHOUT_RECIPES, "report/"} == here


def test_the_card_says_where_the_run_is_then_and_keeps_what_people_wrote(run: Path) -> None:
    card = run / "README.md"
    card.write_text(card.read_text("utf-8") + "\nResep Bu Siti.\n", "utf-8")
    text = published(run, with_book=False)["README.md"].decode()
    assert f"koki ask {NAME} " in text
    assert f'AutoTokenizer.from_pretrained("{NAME}")' in text
    assert "THIS_FOLDER" not in text
    assert text.endswith("Resep Bu Siti.\n")
    assert "THIS_FOLDER" in card.read_text("utf-8")


def test_a_book_is_published_with_what_was_added_last(run: Path, tmp_path: Path) -> None:
    with Book.open(run / "book.sqlite", write=True) as book:
        book.remove("Telur Dadar")
        assert (run / "book.sqlite-wal").stat().st_size > 0  # where what was done lies
        (tmp_path / "buku").write_bytes(published(run, with_book=True)["book.sqlite"])
    with Book.open(tmp_path / "buku") as book:
        assert book.find("Telur Dadar") is None
        assert [file.name for file in tmp_path.glob("buku*")] == ["buku"]


def test_a_run_whose_base_is_a_folder_is_not_published_since_nobody_else_could_ask_it(run: Path) -> None:
    file = run / "training_metadata.json"
    card = json.loads(file.read_text("utf-8"))
    card["base_model"] |= {"name": "/dapur-rahasia/dasar", "location": "dasar"}
    file.write_text(json.dumps(card), "utf-8")
    with pytest.raises(RunError, match=r"the base dasar, a folder of this machine: nobody else could ask it") as caught:
        published(run, with_book=False)
    assert "koki export merged" in caught.value.how


def test_a_book_that_is_not_there_is_an_error(run: Path) -> None:
    (run / "book.sqlite").unlink()
    with pytest.raises(RunError, match="has no book"):
        published(run, with_book=True)
