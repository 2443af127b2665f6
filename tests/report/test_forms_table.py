"""The table of what each form of a chef costs: its GGUF files beside the run."""

import json
from pathlib import Path
from typing import Any

import pytest
from exams import about_soto, scorecard

from koki.language import LANGUAGES, Language
from koki.pipeline import TrainResult
from koki.report.forms import Forms, forms_of
from koki.report.page import render

ASKED = {"seed": 42, "questions_per_capability": 12, "max_new_tokens": 512}


def entry(file_type: str, size: int, equal: int, loss: float) -> dict[str, Any]:
    """What ``export.json`` says of a proven file."""
    answers = {"compared": 20, "equal": equal, "tokens": 1500, "near_ties": []}
    proof = {"answers": answers, "loss": {"answers": 50, "tokens": 2000, "adapter": 0.2, "file": loss}}
    return {"type": file_type, "bytes": size, "made_of": f"made of {file_type}", "proof": proof}


RECORD = {
    "warung-q4_0.gguf": entry("q4_0", 5_000_000, 12, 0.2161),
    "warung-f16.gguf": entry("f16", 1_340_000_000, 20, 0.2),
}


def run_card() -> dict[str, Any]:
    """The scorecard of the run."""
    return scorecard() | ASKED | {"engine": "transformers"}


def of_file(file_type: str, right_dish: float, **changed: Any) -> dict[str, Any]:
    """The scorecard of a file, in which recall has one question more."""
    more = [about_soto(number, "recall", right_dish) for number in range(10, 20)]
    return scorecard(*more) | ASKED | {"file": {"made_of": f"made of {file_type}"}} | changed


def forms(*others: dict[str, Any]) -> Forms:
    found = forms_of(RECORD, run_card(), others)
    assert found
    return found


def test_the_run_comes_first_then_its_files_the_largest_first() -> None:
    assert [(form.name, form.bytes) for form in forms().forms] == [
        ("", None),
        ("f16", 1_340_000_000),
        ("q4_0", 5_000_000),
    ]


def test_equal_answers_and_loss_are_those_of_the_proof() -> None:
    assert [(form.equal, form.loss) for form in forms().forms] == [(None, 0.2), ((20, 20), 0.2), ((12, 20), 0.2161)]


def test_means_of_a_file_stand_beside_those_of_the_run() -> None:
    found = forms(of_file("q4_0", 0.0))
    place = found.measures.index(("full recipe", "right_dish"))
    run, f16, q4_0 = (form.means[place] for form in found.forms)
    assert found.group == "recall"
    assert (run, f16) == (0.75, None)
    assert q4_0 is not None
    assert q4_0 < 0.75


@pytest.mark.parametrize(
    "changed", [{"seed": 7}, {"questions_per_capability": 60}, {"file": {"made_of": "older"}}, {"file": {}}]
)
def test_means_on_other_questions_or_of_an_earlier_file_are_left_out(changed: dict[str, Any]) -> None:
    assert not any(mean is not None for form in forms(of_file("q4_0", 0.0, **changed)).forms[1:] for mean in form.means)


def test_a_file_that_was_neither_proven_nor_evaluated_is_not_in_the_table() -> None:
    record = {"a.gguf": {"type": "f16", "bytes": 1, "made_of": "a", "proof": {"not_proven": "no llama.cpp"}}}
    assert forms_of(record, run_card(), []) is None
    assert forms_of({"a.gguf": {"type": "f16", "bytes": 1, "made_of": "a"}}, run_card(), []) is None


def test_files_of_a_run_that_was_not_evaluated_have_their_proofs_alone() -> None:
    found = forms_of(RECORD, None, [])
    assert found
    assert (found.group, found.measures, len(found.forms)) == (None, (), 3)


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", '<th scope="col">q4_0</th>|1.3 GB|5 MB|12 of 20|0.2161|answered by transformers'),
        ("id", '<th scope="col">q4_0</th>|1,3 GB|5 MB|12 dari 20|0,2161|dijawab oleh transformers'),
    ],
)
def test_the_table_is_on_the_page(finished_run: TrainResult, language: Language, says: str) -> None:
    card = json.loads((finished_run.folder / "training_metadata.json").read_text("utf-8"))
    page = render(Path("w"), card, run_card(), language, forms(of_file("q4_0", 0.0)))
    assert [text for text in says.split("|") if text not in page] == []
    assert 'href="#forms"' in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_files_there_is_no_table(finished_run: TrainResult, language: Language) -> None:
    card = json.loads((finished_run.folder / "training_metadata.json").read_text("utf-8"))
    assert 'id="forms"' not in render(Path("w"), card, run_card(), language)


def test_an_adapter_alone_is_no_form_of_the_chef() -> None:
    adapter = {"warung-adapter.gguf": {"type": "adapter", "bytes": 5, "base": {"name": "mini"}}}
    assert forms_of(adapter, run_card(), []) is None
    assert forms_of(RECORD | adapter, run_card(), []) == forms_of(RECORD, run_card(), [])
