"""What people say of answers is kept, and becomes recipes for the book and questions for an exam."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from serving_helpers import client_of

from koki.errors import ConfigError, RunError
from koki.evaluation.own_questions import read_questions
from koki.recipes.table import read_recipes
from koki.runs.names import FEEDBACK
from koki.serving.feedback import Correction, Export, Feedback, export, keep
from koki.serving.service import Service

CORRECTION = Correction(
    title="Soto Ayam", ingredients=["1 ekor ayam", "2 batang serai, memarkan"], steps=["Rebus ayam.", "Sajikan."]
)
LIKED = Feedback(
    model="warung",
    question="resep telur\ndadar",
    answer="Berikut resep:\n\nBahan:\n- 3 butir telur\n- garam\n\nCara membuat:\n1. Kocok.",
    verdict="up",
)
CORRECTED = Feedback(model="warung", question="resep soto", answer="?", verdict="down", correction=CORRECTION)
DISLIKED = Feedback(model="warung", question="resep rawon", answer="?", verdict="down")


def exported(folder: Path) -> Export:
    return export(folder, folder / "resep.jsonl", folder / "tanya.tsv")


def test_what_was_corrected_becomes_a_recipe_that_the_book_can_take(tmp_path: Path) -> None:
    for said in (LIKED, CORRECTED, CORRECTED, DISLIKED):
        keep(said, tmp_path)
    assert exported(tmp_path) == Export(recipes=1, questions=3, without=1, damaged=0)
    (recipe,) = read_recipes(tmp_path / "resep.jsonl")
    assert recipe.title == "Soto Ayam"
    assert [item.raw for item in recipe.ingredients] == CORRECTION.ingredients
    assert list(recipe.steps) == CORRECTION.steps


def test_questions_ask_for_what_was_liked_or_corrected(tmp_path: Path) -> None:
    for said in (LIKED, CORRECTED, DISLIKED):
        keep(said, tmp_path)
    exported(tmp_path)
    liked, corrected = read_questions(tmp_path / "tanya.tsv")
    assert (liked.question, liked.capability, liked.must) == ("resep telur dadar", "liked", ("telur",))
    assert (corrected.question, corrected.capability) == ("resep soto", "corrected")
    assert corrected.must == ("Soto Ayam", "ayam", "serai")


def test_a_line_that_was_being_written_when_the_machine_stopped_costs_no_other(tmp_path: Path) -> None:
    keep(CORRECTED, tmp_path)
    whole = (tmp_path / FEEDBACK).read_bytes()
    (tmp_path / FEEDBACK).write_bytes(whole + whole[: len(whole) // 2])
    keep(LIKED, tmp_path)
    assert exported(tmp_path) == Export(recipes=1, questions=2, without=0, damaged=1)


def test_what_many_say_at_once_is_kept_whole(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: keep(CORRECTED, tmp_path), range(50)))
    assert exported(tmp_path) == Export(recipes=1, questions=50, without=0, damaged=0)


def test_an_export_replaces_its_own_files_and_no_others(tmp_path: Path) -> None:
    keep(CORRECTED, tmp_path)
    exported(tmp_path)
    exported(tmp_path)
    (tmp_path / "resep.jsonl").write_text('{"title": "Rawon", "ingredients": ["daging"], "steps": ["Rebus."]}\n')
    with pytest.raises(ConfigError, match=r"resep\.jsonl is there"):
        exported(tmp_path)


def test_a_run_without_feedback_says_how_to_get_some(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="--feedback"):
        exported(tmp_path)


def test_the_server_keeps_feedback_only_if_it_was_told_to(service: Service, tmp_path: Path) -> None:
    client = client_of(service)
    service.runs["warung"].folder = tmp_path
    said = CORRECTED.model_dump()
    assert client.post("/api/feedback", json=said).status_code == 404
    assert not (tmp_path / FEEDBACK).exists()
    service.takes_feedback = True
    assert client.post("/api/feedback", json=said).status_code == 204
    assert exported(tmp_path).recipes == 1


@pytest.mark.parametrize(
    "wrong",
    [{"verdict": "maybe"}, {"model": "lain"}, {"answer": "a" * 70_000}, {"more": 1},
     {"correction": {"title": "", "ingredients": ["a"], "steps": ["b"]}},
     {"correction": {"title": "a", "ingredients": [], "steps": ["b"]}}],
)  # fmt: skip
def test_what_is_no_feedback_is_not_kept(service: Service, tmp_path: Path, wrong: dict[str, Any]) -> None:
    service.runs["warung"].folder, service.takes_feedback = tmp_path, True
    answer = client_of(service).post("/api/feedback", json=CORRECTED.model_dump() | wrong)
    assert answer.status_code in (400, 404)
    assert not (tmp_path / FEEDBACK).exists()


def test_a_file_that_is_full_takes_no_more(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("koki.serving.feedback._MOST_BYTES", 1000)
    service.runs["warung"].folder, service.takes_feedback = tmp_path, True
    client = client_of(service)
    codes = [client.post("/api/feedback", json=CORRECTED.model_dump()).status_code for _ in range(6)]
    assert codes == sorted(codes)
    assert codes[0] == 204
    assert codes[-1] == 507
    assert (tmp_path / FEEDBACK).stat().st_size <= 1000
