"""A capability is a file and a place in the registry: all that lists capabilities follows."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest
from cases import cookbook, read_for, said, trained_on
from helpers import printed
from import_graph import closure_of
from rich.console import Console

from koki.dialogue.conversation import KINDS, Kind
from koki.evaluation.asked import Asked
from koki.evaluation.capabilities import registry
from koki.evaluation.capabilities.any_answer import ANY, MEASURES
from koki.evaluation.capabilities.capability import Capability, Measure
from koki.evaluation.judge import judge
from koki.evaluation.scorecard import Scorecard, Scored
from koki.pipeline import TrainResult
from koki.report.page import render
from koki.report.scorecard_section import with_scorecard
from koki.runs.model_card import model_card


def test_every_kind_of_conversation_that_is_composed_has_exactly_one_capability() -> None:
    composed = {conversation.kind for conversation in (*trained_on(), *read_for())}
    assert Counter(capability.kind for capability in registry.CAPABILITIES) == dict.fromkeys(composed, 1)
    assert composed == set(KINDS)


def test_no_two_capabilities_have_the_same_name() -> None:
    names = [*(capability.name for capability in registry.CAPABILITIES), ANY]
    assert len(set(names)) == len(names)


def test_the_registry_brings_no_engine_along() -> None:
    rooms = {module.split(".")[1] for module in closure_of(["koki.evaluation.capabilities.registry"])}
    assert rooms.isdisjoint({"tokens", "model", "data", "runs", "inference", "training"})


GREETING = Capability(
    name="greeting",
    kind=cast(Kind, "greeting"),
    measures={"greets": Measure("greets back", "the answer has a word that one greets with")},
    bars={"greets": 1.0},
    judge=lambda case: {"greets": float("halo" in case.text.lower())},
)
ASKED = Asked("recall/greeting/1", "recall", "greeting", "Halo, Koki!", "Halo juga!", None, ())


@pytest.fixture
def exam(monkeypatch: pytest.MonkeyPatch) -> Scorecard:
    """The scorecard of a chef that was taught to greet, and only that it can greet was added to the registry."""
    monkeypatch.setattr(registry, "CAPABILITIES", (*registry.CAPABILITIES, GREETING))
    answers = [said("Halo! Mau masak apa?"), said("Rebus ayam.")]
    return Scorecard(
        "warung", {"recipes": 3}, 42, [Scored(ASKED, answer, judge(ASKED, answer, cookbook())) for answer in answers]
    )


@pytest.fixture
def card(finished_run: TrainResult) -> dict[str, Any]:
    """The run card of a real run."""
    content: dict[str, Any] = json.loads((finished_run.folder / "training_metadata.json").read_text("utf-8"))
    return content


def test_a_new_capability_is_judged_by_its_own_measures_and_those_of_any_answer(exam: Scorecard) -> None:
    assert [one.scores["greets"] for one in exam.scored] == [1, 0]
    assert set(exam.scored[0].scores) == {"greets", *MEASURES}


def test_a_new_capability_has_rows_in_the_table_of_the_scorecard(exam: Scorecard, console: Console) -> None:
    console.print(exam.render())
    lines = [line.split() for line in printed(console).splitlines()]
    assert ["greeting", "2", "questions"] in lines
    assert ["greets", "back", "0.50", "[0.00,1.00]"] in lines


def test_a_new_capability_is_in_the_json_of_the_scorecard(exam: Scorecard) -> None:
    figures = json.loads(json.dumps(exam.as_dict()))["groups"]["recall"]["greeting"]
    assert figures == {"questions": 2, "greets": {"mean": 0.5, "low": 0.0, "high": 1.0, "questions": 2}}


def test_a_new_capability_is_on_the_page_with_its_label_and_meaning(exam: Scorecard, card: dict[str, Any]) -> None:
    page = render(Path("warung"), card, exam.as_dict(), "en")
    assert "<caption>greeting</caption>" in page
    assert '<th scope="row">greets back</th>' in page
    assert "<dt>greets back</dt><dd>the answer has a word that one greets with</dd>" in page


def test_a_new_capability_is_in_the_scorecard_of_the_model_card(exam: Scorecard, card: dict[str, Any]) -> None:
    text = with_scorecard(model_card(card), "koki", exam.as_dict())
    assert "| **greeting** | 2 questions |" in text
    assert "| greets back | 0.50 [0.00, 1.00] |" in text


@pytest.mark.usefixtures("exam")
def test_a_new_capability_is_among_those_that_run_card_and_model_card_promise(card: dict[str, Any]) -> None:
    assert registry.promised() == [*card["capabilities"], "greeting"]
    assert ", tip, greeting.\n" in model_card(card | {"capabilities": registry.promised()})
