"""Requirements: read before anybody is asked, and judged by every mean that they are about."""

import pytest
from cases import said
from hypothesis import given
from hypothesis import strategies as st

from koki.errors import ConfigError
from koki.evaluation.asked import GROUPS, Asked
from koki.evaluation.intervals import Mean
from koki.evaluation.own_questions import OwnQuestion, verdict
from koki.evaluation.requirements import Place, Reached, Requirement, require_asked
from koki.evaluation.scorecard import PASSED, OwnScorecard, Scorecard, Scored, places, places_of

PLACES = places()


def mean(value: float) -> Mean:
    return Mean(value, value - 0.1, value + 0.1, 60)


MEANS: dict[Place, Mean] = {
    ("recall", "full recipe", "right_dish"): mean(0.97),
    ("recall", "simple question", "right_dish"): mean(0.9),
    ("recall-book", "full recipe", "right_dish"): mean(0.9467),
    ("recall", "full recipe", "invented"): mean(0.02),
}


def reached(text: str) -> Reached:
    return Reached.of(Requirement.read(text, PLACES), MEANS)


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("right_dish>=0.9", True),
        ("right_dish > 0.9", False),
        ("recall.full_recipe.right_dish>=0.97", True),
        ("full_recipe.recall.right_dish>=.97", True),
        ("recall-book.right_dish>=0.95", False),
        ("recall_book.right_dish>=0.94", True),
        ("simple question.right_dish>=0.95", False),
        ("full recipe.right_dish>=0.94", True),
        ("invented<=0.02", True),
        ("invented<0.02", False),
        ("order>=-1", False),  # it was not measured, so nothing shows it
    ],
)
def test_each_mean_that_a_requirement_is_about_has_to_be_within_it(text: str, met: bool) -> None:
    assert reached(text).met is met


def test_the_plain_name_is_about_all_groups_and_capabilities_that_have_the_measure() -> None:
    found = Requirement.read("right_dish>=1", PLACES).among(PLACES)
    assert {place[1:] for place in found} == {("full recipe", "right_dish"), ("simple question", "right_dish")}
    assert {place[0] for place in found} == set(GROUPS)


@given(st.sampled_from(PLACES), st.sampled_from([">=", ">", "<=", "<"]), st.floats(-1, 1).map(lambda x: round(x, 4)))
def test_every_place_can_be_named_and_is_then_the_only_one(place: Place, sign: str, bound: float) -> None:
    name = ".".join(part.replace(" ", "_") for part in place)
    requirement = Requirement.read(f"{name}{sign}{bound:f}", PLACES)
    assert requirement.among(PLACES) == [place]
    assert requirement.bound == pytest.approx(bound)


@pytest.mark.parametrize(
    ("text", "what", "how"),
    [
        ("right_dsh>=0.9", "no measure 'right_dsh'", "Did you mean right_dish or right?"),
        ("recal.right_dish>=0.9", "no group or capability 'recal'", "recall"),
        ("full_recipes.right_dish>=0.9", "no group or capability 'full_recipes'", "full_recipe"),
        ("xyz>=0.9", "no measure 'xyz'", "There are: contradicts, declined"),
        ("tip.right_dish>=0.9", "There is no 'tip.right_dish>=0.9'", "full_recipe, simple_question"),
        ("right_dish>=95", "No mean reaches the 95", "from 0 to 1"),
        ("right_dish=0.9", "not of the form", "right_dish>=0.95"),
        ("right_dish>=0,9", "not of the form", "right_dish>=0.95"),
        ("right_dish", "not of the form", "right_dish>=0.95"),
        (">=0.9", "not of the form", "right_dish>=0.95"),
    ],
)
def test_what_cannot_be_required_is_an_error_that_says_what_can(text: str, what: str, how: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Requirement.read(text, PLACES)
    assert what in caught.value.what
    assert how in caught.value.how


def test_a_requirement_of_what_the_exam_does_not_ask_is_an_error() -> None:
    asked = places_of([Asked("", "recall", "tip", "Kenapa?", "Karena.", None, ())])
    require_asked([Requirement.read("recall.tip.reason>=0.5", PLACES), Requirement.read("ended>=1", PLACES)], asked)
    with pytest.raises(ConfigError, match=r"nothing is asked that 'right_dish>=0\.9' is about") as caught:
        require_asked([Requirement.read("right_dish>=0.9", PLACES)], asked)
    assert caught.value.how == "It asks: any_answer, recall, tip."


def test_a_line_says_the_worst_of_what_was_reached_or_all_that_falls_short() -> None:
    assert str(reached("right_dish>=0.5")) == (
        "met: right_dish>=0.5: 0.9 [0.8,1] (recall, simple question, the worst of 3)"
    )
    assert str(reached("right_dish>=0.95")) == (
        "not met: right_dish>=0.95: 0.9 [0.8,1] (recall, simple question), "
        "0.9467 [0.8467,1.0467] (recall-book, full recipe)"
    )
    assert str(reached("names_nearest>=0")) == "not met: names_nearest>=0: no answer has a score of that"


def test_the_scorecard_says_what_was_reached_in_its_json_too() -> None:
    asked = Asked("recall/tip/1", "recall", "tip", "Kenapa?", "Karena panas.", None, ())
    required = [Requirement.read(text, PLACES) for text in ("reason>=0.5", "tip.on_topic>0.5")]
    scored = [Scored(asked, said("Karena."), {"on_topic": 0.0, "reason": 1.0})]
    content = Scorecard("warung", {}, 42, scored, requirements=required).as_dict()["requirements"]
    assert [(one["requirement"], one["met"]) for one in content] == [("reason>=0.5", True), ("tip.on_topic>0.5", False)]
    assert content[1]["reached"] == [
        {"of": ["recall", "tip", "on_topic"], "mean": 0.0, "low": 0.0, "high": 0.0, "questions": 1, "met": False}
    ]


def test_of_ones_own_questions_the_share_that_passes_is_required_of_all_or_of_a_capability() -> None:
    questions = [OwnQuestion(str(number), name, "?", ("api",), ()) for number, name in enumerate(("tip", "menu"))]
    own = [(name, PASSED) for name in ("all", "tip", "menu")]
    required = [Requirement.read(text, own) for text in ("passed>=0.5", "all.passed>=0.5", "tip.passed>=1")]
    verdicts = [verdict(question, said(answer)) for question, answer in zip(questions, ("api", "air"), strict=True)]
    card = OwnScorecard("warung", {}, 42, verdicts, requirements=required)
    assert [one.met for one in card.reached()] == [False, True, True]
    assert [one["met"] for one in card.as_dict()["requirements"]] == [False, True, True]
