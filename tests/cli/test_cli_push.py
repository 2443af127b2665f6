"""`koki push`, to a hub on this machine: what it lists, asks, uploads and updates, and how each error is mended."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import koki_here
from hub import NEW, NOBODY, OLD, Hub, Stored, hub, use_hub

from koki.pipeline import TrainResult

NAME = "siti/warung"
TOKEN = "hf_rahasiaSekali"


@pytest.fixture
def run(finished_run: TrainResult, tmp_path: Path) -> Path:
    """A finished run that may be changed."""
    leave_out = shutil.ignore_patterns("checkpoint-*", "gguf")
    return Path(shutil.copytree(finished_run.folder, tmp_path / "warung", ignore=leave_out))


@pytest.fixture
def there(hub_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """An empty hub to which siti, who is logged in, may write; and nothing in the cache of the library."""
    assert not hub_cache.exists()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)  # its storage speaks another protocol
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("KOKI_CACHE", str(tmp_path / "koki"))
    with hub(users={TOKEN: ("siti", True), "hf_baca": ("siti", False)}) as served:
        use_hub(served.address, monkeypatch)
        yield served


def test_a_first_push_makes_a_private_repository_with_one_commit(run: Path, there: Hub) -> None:
    said = koki_here("push", str(run), NAME, "--yes")
    assert said.returncode == 0, said.stderr
    assert there.repositories[NAME].private
    assert len(there.repositories[NAME].commits) == 2  # the hub makes the first itself
    assert "book.sqlite" not in there.files(NAME)
    assert there.files(NAME)["adapter_model.safetensors"] == (run / "adapter_model.safetensors").read_bytes()
    assert f"A new repository {NAME}: private" in said.stdout
    assert f"Uploaded: {there.address}/{NAME}\n" in said.stdout
    assert TOKEN not in said.stdout + said.stderr


def test_what_is_uploaded_and_what_is_not_is_listed_with_sizes_and_reasons(run: Path, there: Hub) -> None:
    lines = [" ".join(line.split()) for line in koki_here("push", str(run), NAME, "--yes").stdout.splitlines()]
    assert "adapter_model.safetensors 1.8 MB" in lines
    assert "book.sqlite has recipes in it: --with-book" in lines
    assert "config.yaml names folders of this machine" in lines
    for name in there.files(NAME).keys() - {".gitattributes"}:
        assert any(line.startswith(f"{name} ") for line in lines[: lines.index("Not uploaded:")])


@pytest.mark.slow
@pytest.mark.usefixtures("there")
def test_what_was_pushed_is_asked_by_its_name(run: Path) -> None:
    koki_here("push", str(run), NAME, "--with-book", "--yes")
    asked = ("Resep soto ayam dong!", "--strict", "--engine", "llama.cpp")
    by_name = koki_here("ask", NAME, *asked)
    assert by_name.returncode == 0, by_name.stderr
    assert by_name.stdout == koki_here("ask", str(run), *asked).stdout
    assert "2 batang serai" in by_name.stdout
    assert "resep.csv" in by_name.stderr


def test_a_second_push_is_a_commit_and_takes_out_what_is_not_published_any_more(run: Path, there: Hub) -> None:
    koki_here("push", str(run), NAME, "--with-book", "--yes")
    assert "book.sqlite" in there.files(NAME)
    said = koki_here("push", str(run), NAME, "--yes")
    assert "book.sqlite" not in there.files(NAME)
    assert f"A new commit to the repository {NAME}: private" in said.stdout
    assert "Taken out of it, though earlier commits keep it: book.sqlite" in said.stdout


def test_a_push_of_what_is_there_already_makes_no_commit(run: Path, there: Hub) -> None:
    for _ in range(2):
        assert koki_here("push", str(run), NAME, "--yes").returncode == 0
    assert len(there.repositories[NAME].commits) == 2


def test_public_is_said_and_done_only_when_asked_for(run: Path, there: Hub) -> None:
    said = koki_here("push", str(run), NAME, "--public", "--yes")
    assert not there.repositories[NAME].private
    assert "everybody may see it" in said.stdout


def test_where_nobody_can_be_asked_nothing_is_uploaded(run: Path, there: Hub) -> None:
    said = koki_here("push", str(run), NAME)
    assert said.returncode == 1
    assert "Say --yes" in said.stderr
    assert not there.repositories


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no terminals of this kind")
@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("", 1)])
def test_at_a_terminal_it_asks_before_it_uploads(run: Path, there: Hub, tmp_path: Path, answer: str, code: int) -> None:
    keyboard, terminal = os.openpty()
    os.write(keyboard, f"{answer}\n".encode())
    where = {"HF_ENDPOINT": there.address, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_XET": "1"}
    said = subprocess.run(
        [sys.executable, "-m", "koki", "push", str(run), NAME],
        stdin=terminal,
        capture_output=True,
        text=True,
        env=os.environ | where,
        check=False,
    )
    os.close(terminal)
    os.close(keyboard)
    assert said.returncode == code
    assert "Upload it? [y/N]" in said.stdout
    assert bool(there.repositories) is (code == 0)


# -------------------------------------------------------------------------------------------------------------- errors


def refused(*arguments: str) -> str:
    """What is said on standard error by a push that ends with an error, which never says the token."""
    said = koki_here("push", *arguments)
    assert said.returncode == 1
    assert "Traceback" not in said.stderr
    assert TOKEN not in said.stdout + said.stderr
    return " ".join(said.stderr.split())


@pytest.mark.usefixtures("hub_cache")
def test_nobody_logged_in(run: Path) -> None:
    assert "Nobody is logged in" in (said := refused(str(run), NAME, "--yes"))
    assert "hf auth login" in said


def test_a_token_that_the_hub_does_not_know(run: Path, there: Hub) -> None:
    there.users.clear()
    assert "does not know the token" in (said := refused(str(run), NAME, "--yes"))
    assert "hf auth login --force" in said


@pytest.mark.usefixtures("there")
def test_a_token_that_may_not_write(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_baca")
    assert f"may not write to {NAME}" in (said := refused(str(run), NAME, "--yes"))
    assert "hf auth login --force" in said


def test_a_name_of_somebody_else(run: Path, there: Hub) -> None:
    there.repositories["budi/warung"] = Stored(True, {OLD: {}})
    assert "may not write to budi/warung" in refused(str(run), "budi/warung", "--yes")
    assert there.files("budi/warung") == {}


def test_a_name_that_is_taken_by_another_thing(run: Path, there: Hub) -> None:
    there.repositories[NAME] = Stored(True, {OLD: {"model.safetensors": b"", "README.md": b""}})
    assert f"{NAME} is there on the hub, and is no run of Koki's" in refused(str(run), NAME, "--yes")
    assert list(there.repositories[NAME].commits) == [OLD]


@pytest.mark.parametrize(("private", "options"), [(False, ()), (True, ("--public",))])
def test_who_may_see_a_repository_is_not_changed_by_the_way(
    run: Path, there: Hub, private: bool, options: tuple[str, ...]
) -> None:
    there.repositories[NAME] = Stored(private, {OLD: {".gitattributes": b""}})
    assert f"{there.address}/{NAME}/settings" in refused(str(run), NAME, "--yes", *options)
    assert list(there.repositories[NAME].commits) == [OLD]


@pytest.mark.usefixtures("there")
def test_no_network(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_hub(NOBODY, monkeypatch)
    assert "The hub cannot be reached" in refused(str(run), NAME, "--yes")


@pytest.mark.usefixtures("there")
def test_a_hub_that_is_not_to_be_asked(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE is set" in refused(str(run), NAME, "--yes")


@pytest.mark.parametrize("name", ["warung", "siti/", "a/b/c", "siti/wa rung", "https://huggingface.co/siti/warung"])
@pytest.mark.usefixtures("there")
def test_a_name_that_is_none(run: Path, name: str) -> None:
    assert "It looks like owner/name" in refused(str(run), name, "--yes")


def test_a_commit_by_somebody_else_meanwhile_is_not_overwritten(
    run: Path, there: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    koki_here("push", str(run), NAME, "--yes")
    card = run / "README.md"
    card.write_text(card.read_text("utf-8") + "\nBaru.\n", "utf-8")
    newest = there.files(NAME)

    def write_meanwhile(*_: object) -> None:
        there.repositories[NAME].commits[NEW] = newest

    monkeypatch.setattr("koki.cli.push._say_what_becomes_of", write_meanwhile)
    assert "Somebody has written to siti/warung meanwhile" in refused(str(run), NAME, "--yes")
    assert there.files(NAME) is newest


@pytest.mark.usefixtures("there")
def test_an_answer_of_the_hub_that_repeats_the_token_is_shown_without_it(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def repeat(*_: object, **__: object) -> None:
        raise ValueError(f"bad header: Bearer {TOKEN}")

    monkeypatch.setattr("huggingface_hub.HfApi.create_commit", repeat)
    assert "bad header: Bearer ..." in refused(str(run), NAME, "--yes")


@pytest.mark.usefixtures("there")
def test_a_book_of_a_run_on_the_hub_is_read_and_not_written_to(run: Path) -> None:
    koki_here("push", str(run), NAME, "--with-book", "--yes")
    listed = koki_here("book", "list", NAME, "soto")
    assert "Soto Ayam  (resep.csv" in listed.stdout
    said = koki_here("book", "remove", NAME, "Soto Ayam")
    assert said.returncode == 1
    assert "hf download siti/warung --local-dir warung" in said.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("there")
def test_an_evaluation_of_a_run_on_the_hub_lies_in_the_users_cache(run: Path, hub_cache: Path, tmp_path: Path) -> None:
    koki_here("push", str(run), NAME, "--with-book", "--yes")
    questions = tmp_path / "tanya.tsv"
    questions.write_text(
        "id\tcapability\tquestion\tdish\tingredients\tmust\tmust_not\n1\tresep\tResep soto?\t\t\tayam\t\n", "utf-8"
    )
    said = koki_here("evaluate", NAME, "--questions", str(questions), "--max-new-tokens", "8")
    written = tmp_path / "koki" / "runs" / NAME / "report" / "questions.json"
    assert said.returncode == 0, said.stderr
    assert json.loads(written.read_text("utf-8"))["run"] == "warung"
    assert not list(hub_cache.rglob("questions.json"))


@pytest.mark.usefixtures("hub_cache")
def test_feedback_is_not_kept_in_a_run_on_the_hub() -> None:
    said = koki_here("serve", NAME, "--feedback", "--port", "0")
    assert said.returncode == 1
    assert "hf download siti/warung --local-dir warung" in said.stderr
