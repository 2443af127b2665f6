"""A scorecard: for people, and for programs."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from cases import said
from helpers import printed
from rich.console import Console

from koki.errors import RunError
from koki.evaluation.asked import Asked
from koki.evaluation.own_questions import OwnQuestion, verdict
from koki.evaluation.scorecard import OwnScorecard, Scorecard, Scored, speed_of

SEED = 42


def tip(number: int, on_topic: float | None, group: str = "recall") -> Scored:
    asked = Asked(f"{group}/tip/{number}", group, "tip", "Kenapa?", "Karena panas.", None, ())
    return Scored(asked, said("Karena."), {"on_topic": on_topic, "ended": 1.0})


def scorecard(scores: Sequence[float | None], other: Scorecard | None = None) -> Scorecard:
    scored = [tip(number, score) for number, score in enumerate(scores)]
    return Scorecard("runs/warung", {"max_new_tokens": 9}, SEED, scored, other, ("A note.",))


def test_a_mean_is_over_the_questions_of_its_capability_and_group() -> None:
    found = scorecard([1, 0, 1, 1]).mean("recall", "tip", "on_topic")
    assert found is not None
    assert (found.mean, found.questions) == (0.75, 4)
    assert scorecard([1]).mean("understanding", "tip", "on_topic") is None
    assert scorecard([1]).mean("recall", "inquiry", "on_topic") is None


def test_any_answer_is_over_all_capabilities() -> None:
    inquiry = replace(tip(9, None).asked, capability="inquiry")
    mixed = replace(scorecard([1, 1]), scored=[tip(1, 1), Scored(inquiry, said(""), {"ended": 0.0})])
    found = mixed.mean("recall", "any answer", "ended")
    assert found is not None
    assert found.mean == 0.5


def test_json_has_each_group_capability_and_measure_with_interval_and_count() -> None:
    content = json.loads(json.dumps(scorecard([1, 0, None]).as_dict()))
    measured = content["groups"]["recall"]["tip"]
    assert measured["questions"] == 3
    assert measured["on_topic"] == {"mean": 0.5, "low": 0.0, "high": 1.0, "questions": 2}
    assert content["groups"]["generalisation"] == {}
    assert (content["run"], content["notes"]) == ("runs/warung", ["A note."])
    assert content["answers"][0]["scores"] == {"on_topic": 1, "ended": 1.0}


def test_a_comparison_has_the_differences_of_the_same_questions() -> None:
    content = scorecard([1, 1, 0, 1], replace(scorecard([0, 1, 0, 0]), run="base")).as_dict()
    assert content["compared_with"]["run"] == "base"
    difference = content["compared_with"]["differences"]["recall"]["tip"]["on_topic"]
    assert difference["mean"] == 0.5
    assert content["compared_with"]["groups"]["recall"]["tip"]["on_topic"]["mean"] == 0.25


def test_the_table_shows_means_intervals_and_notes(console: Console) -> None:
    console.print(scorecard([1, 0]).render())
    text = printed(console)
    assert "0.50 [0.00,1.00]" in text
    assert "2 questions" in text
    assert "A note." in text


def test_table_and_json_say_what_the_groups_are_the_table_only_of_those_asked(console: Console) -> None:
    console.print(scorecard([1, 0]).render())
    assert "recall: trained on, word for word" in printed(console)
    assert "generalisation:" not in printed(console)
    assert (
        scorecard([1, 0]).as_dict()["group_meanings"]["generalisation"].startswith("about recipes that were held out")
    )


def test_the_table_of_a_comparison_shows_differences_with_their_sign(console: Console) -> None:
    console.print(scorecard([1, 1], replace(scorecard([0, 0]), run="[base]")).render())
    assert "runs/warung minus [base]" in printed(console)
    assert "+1.00 [+1.00,+1.00]" in printed(console)


def test_a_mean_of_one_has_no_interval_and_a_mean_of_some_says_of_how_many(console: Console) -> None:
    console.print(scorecard([1, None, None]).render())
    assert "1.00 n=1" in printed(console)


def test_three_groups_fit_in_80_columns_a_line_each() -> None:
    groups = ("recall", "understanding", "generalisation")
    three = replace(scorecard([]), scored=[tip(number, number % 2, group) for group in groups for number in range(2)])
    narrow = Console(width=80, file=io.StringIO())
    narrow.print(three.render())
    (line,) = (line for line in printed(narrow).splitlines() if "on the topic" in line)
    assert line.count("0.50 [0.00,1.00]") == 3


def test_a_group_that_was_not_asked_has_no_column(console: Console) -> None:
    console.print(scorecard([1, 0]).render())
    assert "generalisation" not in printed(console)


def test_speed_is_all_tokens_over_all_time() -> None:
    assert speed_of([said("", tokens=100), said("", tokens=300)]) == {
        "answers": 2,
        "tokens": 400,
        "seconds": 2.0,
        "tokens_per_second": 200.0,
    }
    assert speed_of([])["tokens_per_second"] == 0


def test_a_scorecard_is_kept_in_the_run_folder(tmp_path: Path) -> None:
    path = scorecard([1]).save(tmp_path)
    assert path == tmp_path / "report" / "scorecard.json"
    assert json.loads(path.read_text("utf-8")) == scorecard([1]).as_dict()
    assert [file.name for file in path.parent.iterdir()] == ["scorecard.json"]


def test_a_folder_that_cannot_be_written_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file")
    with pytest.raises(RunError, match=r"scorecard\.json cannot be written"):
        scorecard([1]).save(tmp_path)


def own(answers: dict[str, str], other: OwnScorecard | None = None) -> OwnScorecard:
    questions = [
        OwnQuestion("1", "tip", "?", ("api kecil",), ()),
        OwnQuestion("2", "tip", "?", ("garam",), ("gula",)),
        OwnQuestion("3", "[bold]", "?", ("ayam",), ()),
    ]
    verdicts = [verdict(question, said(answers.get(question.id, ""))) for question in questions]
    return OwnScorecard("runs/warung", {}, SEED, verdicts, other)


def test_the_share_that_passes_is_of_all_and_of_each_capability() -> None:
    passed = own({"1": "Pakai api kecil.", "3": "ayam"}).as_dict()["passed"]
    assert {name: round(found["mean"], 2) for name, found in passed.items()} == {"all": 0.67, "tip": 0.5, "[bold]": 1}


def test_a_failed_answer_says_why(console: Console) -> None:
    console.print(own({"2": "garam dan gula", "3": "ikan"}).render())
    text = printed(console)
    assert "1: does not mention api kecil" in text
    assert "2: speaks for gula" in text
    assert "[bold]" in text


def test_a_title_that_is_wider_than_its_table_is_one_line() -> None:
    narrow = Console(width=80, file=io.StringIO())
    narrow.print(own({}).render())
    assert printed(narrow).startswith("runs/warung: answers that pass\n")


def test_own_questions_are_compared_question_by_question(console: Console) -> None:
    better = own({"1": "api kecil", "2": "garam", "3": "ayam"}, replace(own({"1": "api kecil"}), run="base"))
    assert better.as_dict()["compared_with"]["differences"]["all"]["mean"] == pytest.approx(0.6667)
    console.print(better.render())
    assert "minus base" in printed(console)


def test_own_questions_are_kept_beside_the_scorecard(tmp_path: Path) -> None:
    assert own({}).save(tmp_path) == tmp_path / "report" / "questions.json"
