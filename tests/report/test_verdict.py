"""The verdict: what may be said of a chef by how many of its answers are right, and of how many."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koki.evaluation.intervals import Share
from koki.report.language import Translation
from koki.report.verdict import Verdict, is_right, sentence

EN, ID = Translation("en"), Translation("id")
TELLING = {"full recipe": "right_dish", "tip": "on_topic", "refusal": "declined", "detail": "right"}


def answers(capability: str, group: str, right: int, asked: int) -> Iterable[dict[str, Any]]:
    """So many answers, the right ones first, each about another recipe."""
    for number in range(asked):
        yield {
            "id": f"{group}/{capability}/{number}",
            "group": group,
            "capability": capability,
            "recipe": f"{capability}-{number}",
            "scores": {TELLING[capability]: float(number < right), "ended": 1.0},
        }


def verdict(*of_each: Iterable[dict[str, Any]], recipes: int = 128) -> Verdict:
    return Verdict.of({"recipes": recipes, "answers": [answer for of_it in of_each for answer in of_it]})


def test_of_a_chef_that_was_asked_for_every_recipe_the_number_is_exact() -> None:
    found = verdict(answers("full recipe", "recall", 118, 128), answers("tip", "recall", 2, 40))
    assert sentence(found, ID) == "Koki ini hafal 118 dari 128 resep; jangan dipakai untuk tips memasak."
    assert sentence(found, EN) == "This chef knows 118 of 128 recipes by heart; do not use it for tips."


def test_of_one_that_was_asked_for_some_it_is_said_how_many_it_may_know() -> None:
    found = verdict(answers("full recipe", "recall", 60, 60))
    assert found.known == (120, 128)  # 60 of 60 does not show that it knows all
    assert sentence(found, EN) == (
        "This chef knows 60 of the 60 recipes it was asked for by heart (so of all 128, 120 to 128); "
        "it is good for all that it was asked."
    )


@given(
    st.integers(1, 60).flatmap(lambda asked: st.tuples(st.integers(0, asked), st.just(asked))), st.integers(60, 9000)
)
def test_it_knows_at_least_what_was_right_and_not_what_was_wrong(counts: tuple[int, int], recipes: int) -> None:
    right, asked = counts
    low, high = verdict(answers("full recipe", "recall", right, asked), recipes=recipes).known
    assert right <= low <= high <= recipes - (asked - right)


def test_a_recipe_that_was_asked_for_twice_is_known_if_both_answers_are_right() -> None:
    twice = [
        {**answer, "recipe": "soto", "id": str(number)}
        for number, answer in enumerate(answers("full recipe", "recall", 1, 2))
    ]
    assert verdict(twice).by_heart == Share(0, 1)


def test_with_a_book_it_is_said_what_it_gives_with_the_book_open_and_used_so() -> None:
    found = verdict(
        answers("full recipe", "recall", 9, 60),
        answers("full recipe", "recall-book", 60, 60),
        answers("full recipe", "added-book", 20, 60),
    )
    assert (found.by_heart, found.with_book, found.added) == (Share(9, 60), Share(60, 60), Share(20, 60))
    assert [use.capability for use in found.good()] == ["full recipe"]
    assert "with its book open it gives 60 of 60 without a mistake" in sentence(found, EN)


def test_a_chef_that_was_asked_with_its_book_open_alone_is_not_said_to_know_anything_by_heart() -> None:
    said = sentence(verdict(answers("full recipe", "recall-book", 60, 60)), ID)
    assert said.startswith("Koki ini memberi 60 dari 60 resep tanpa salah dengan buku terbuka;")


@pytest.mark.parametrize(
    ("right", "asked", "is_good", "is_bad"),
    [(60, 60, True, False), (4, 4, False, False), (48, 60, False, False), (40, 60, False, True), (0, 3, False, True)],
)
def test_few_questions_show_neither_that_it_is_good_for_something_nor_that_it_is_not(
    right: int, asked: int, is_good: bool, is_bad: bool
) -> None:
    (use,) = verdict(answers("refusal", "recall", right, asked)).uses
    assert (use.is_good, use.is_bad) == (is_good, is_bad)


def test_what_counts_is_the_group_in_which_it_did_worst_of_its_own_recipes() -> None:
    found = verdict(
        answers("full recipe", "recall", 60, 60),
        answers("full recipe", "understanding", 30, 60),
        answers("full recipe", "generalisation", 0, 60),
    )
    assert [(use.group, use.share) for use in found.uses] == [("understanding", Share(30, 60))]


def test_a_chef_that_is_good_for_nothing_is_not_to_be_used() -> None:
    bad = verdict(answers("full recipe", "recall", 0, 60), answers("tip", "recall", 0, 60))
    assert sentence(bad, ID).endswith("; jangan dipakai dulu untuk apa pun.")


def test_what_is_not_proven_is_said_where_nothing_is_bad() -> None:
    found = verdict(answers("full recipe", "recall", 60, 60), answers("detail", "recall", 50, 60))
    assert sentence(found, EN).endswith("; it is not proven good enough for details of a recipe.")


def test_a_few_questions_say_nothing_of_what_it_is_good_for() -> None:
    few = verdict(answers("full recipe", "recall", 4, 4), answers("tip", "recall", 3, 4))
    assert sentence(few, EN).endswith("; the questions are too few to say what it is good for.")


def test_of_a_chef_that_was_asked_about_others_recipes_alone_nothing_more_is_said() -> None:
    found = verdict(answers("full recipe", "added-book", 9, 60))
    assert sentence(found, EN) == "This chef was not asked for recipes of its own."
    assert (found.added, found.examples) == (Share(9, 60), ())


def test_recipes_that_its_book_got_do_not_hide_what_it_answers_from_memory() -> None:
    found = verdict(answers("full recipe", "recall", 60, 60), answers("full recipe", "added-book", 9, 60))
    assert (found.reads, [use.group for use in found.uses]) == (False, ["recall"])


def test_without_whole_recipes_it_is_said_that_none_was_asked_for() -> None:
    assert sentence(verdict(answers("tip", "recall", 40, 40)), EN).startswith(
        "This chef was not asked for recipes of its own;"
    )


def test_the_answers_that_show_it_are_right_and_wrong_as_all_are_of_what_it_does_best_and_worst() -> None:
    found = verdict(
        answers("full recipe", "recall", 58, 60), answers("tip", "recall", 10, 60), answers("refusal", "recall", 40, 60)
    )
    assert [(answer["id"], is_right(answer)) for answer in found.examples] == [
        ("recall/full recipe/0", True),
        ("recall/refusal/0", True),
        ("recall/tip/10", False),
    ]


@pytest.mark.parametrize(("right", "expected"), [(60, 3), (59, 2), (30, 1), (1, 1), (0, 0)])
def test_one_answer_of_either_kind_is_shown_if_there_is_one(right: int, expected: int) -> None:
    examples = verdict(answers("full recipe", "recall", right, 60)).examples
    assert (len(examples), sum(map(is_right, examples))) == (3, expected)


def test_the_answers_are_about_different_recipes_where_there_are_some() -> None:
    same = [{**answer, "recipe": f"full recipe-{answer['id'][-1]}"} for answer in answers("detail", "recall", 60, 60)]
    examples = verdict(answers("full recipe", "recall", 60, 60), same).examples
    assert len({answer["recipe"] for answer in examples}) == 3


def test_an_answer_that_does_not_end_is_not_right() -> None:
    (answer,) = answers("full recipe", "recall", 1, 1)
    assert is_right(answer)
    assert not is_right(answer | {"scores": answer["scores"] | {"ended": 0.0}})
    assert is_right(answer | {"scores": answer["scores"] | {"steps": None}})
